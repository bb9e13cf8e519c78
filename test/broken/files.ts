import { gzipSync } from 'node:zlib';
import sharp from 'sharp';

export interface Case {
  readonly recipe: string | Buffer;
  readonly files?: Record<string, Buffer | string>;
  /** Line by line, with file names as they are below the folder. */
  readonly message: readonly string[];
}

/** Big-endian header of an IDX file: type 8 (bytes), dimensions; then zeros and ones by turns. */
export function idx(...dims: number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * dims.length);
  head.set([0, 0, 8, dims.length]);
  dims.forEach((dim, i) => head.writeUInt32BE(dim, 4 + 4 * i));
  const count = dims.reduce((product, dim) => product * dim, 1);
  return Buffer.concat([head, Buffer.from(Array.from({ length: count }, (_, i) => i % 2))]);
}

export const CSV = `a,b,label\n${Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${i % 2 ? 'yes' : 'no'}`).join('\n')}\n`;

/** Files that are right; each case puts one wrong thing in their place. */
export const FILES: Record<string, Buffer | string> = {
  'x.gz': gzipSync(idx(40, 4, 4)),
  'y.gz': gzipSync(idx(40)),
  'd.csv': CSV,
};

/** 32 columns, as many as `pictureTeacher` takes. */
export const WIDE = [
  [...Array.from({ length: 32 }, (_, i) => `c${i}`), 'label'].join(),
  ...Array.from({ length: 40 }, (_, row) => [...Array.from({ length: 32 }, (_, i) => (row * i) % 7), row % 2].join()),
].join('\n');

export const png = (size: number): Promise<Buffer> =>
  sharp({ create: { width: size, height: size, channels: 3, background: 'red' } })
    .png()
    .toBuffer();

export const IDX = 'dataset: { type: idx, train: { images: x.gz, labels: y.gz }, testFraction: 0.2 }';
export const TABLE = 'dataset: { type: csv, train: d.csv, testFraction: 0.2 }';
export const rest = 'student: { model: mlp, hidden: [4] }\ndistill: { epochs: 1 }\n';
export const train = 'teacher: { train: { model: mlp, epochs: 1 } }\n';
