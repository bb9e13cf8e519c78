import { UserError } from '../base/errors.ts';
import type { IdxFiles } from './config.ts';
import { sharedBytes, sharedFloats, sizeOf } from './dataset.ts';
import type { RawSplit, Samples } from './dataset.ts';
import { hex, readUnpacked } from './source.ts';
import type { SizeByHeader } from './source.ts';

/** The type byte of an IDX header: bytes per value and how to read one (big endian). */
const TYPES: Readonly<Record<number, { name: string; bytes: number; read: (view: DataView, at: number) => number }>> = {
  0x08: { name: 'uint8', bytes: 1, read: (view, at) => view.getUint8(at) },
  0x09: { name: 'int8', bytes: 1, read: (view, at) => view.getInt8(at) },
  0x0b: { name: 'int16', bytes: 2, read: (view, at) => view.getInt16(at) },
  0x0c: { name: 'int32', bytes: 4, read: (view, at) => view.getInt32(at) },
  0x0d: { name: 'float32', bytes: 4, read: (view, at) => view.getFloat32(at) },
  0x0e: { name: 'float64', bytes: 8, read: (view, at) => view.getFloat64(at) },
};

interface IdxArray {
  readonly shape: readonly number[];
  readonly type: number;
  readonly body: Uint8Array;
}

/** IDX, the format of MNIST (yann.lecun.com/exdb/mnist): 00 00 type rank, the dimensions, the values; plain or gzip. */
export async function readIdx({ images, labels }: IdxFiles): Promise<RawSplit> {
  const [imageArray, labelArray] = await Promise.all([readArray(images), readArray(labels)]);
  const [count, ...sample] = imageArray.shape as [number, ...number[]];
  if (sample.length < 1 || sample.length > 3) {
    throw new UserError(
      `${images}: expected 2 to 4 dimensions (samples first), received ${imageArray.shape.length}: [${imageArray.shape.join(', ')}]`,
      sample.length === 0
        ? 'This looks like a label file: are images and labels swapped?'
        : 'Store the samples as [count, height, width].',
    );
  }
  if (labelArray.shape.length !== 1) {
    throw new UserError(
      `${labels}: expected one dimension, a label per sample, received [${labelArray.shape.join(', ')}]`,
      'This looks like an image file: are images and labels swapped?',
    );
  }
  if (labelArray.shape[0] !== count) {
    throw new UserError(
      `${labels}: ${labelArray.shape[0]!} labels for the ${count} samples of ${images}`,
      'Take both files from the same split (train with train, t10k with t10k).',
    );
  }
  return {
    source: images,
    sampleShape: sample.length === 2 ? [...sample, 1] : sample,
    samples: samplesOf(imageArray),
    labels: { kind: 'index', values: integersOf(labelArray, labels) },
  };
}

async function readArray(file: string): Promise<IdxArray> {
  const bytes = await readUnpacked(file, sizeByHeader);
  const type = TYPES[bytes[2] ?? 0];
  const rank = bytes[3] ?? 0;
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined || rank === 0) {
    throw new UserError(
      `${file}: not an IDX file: it starts with ${hex(bytes)}, expected gzip (1f 8b) or 00 00 and a type (08 to 0e)`,
      'Check that the download is the file itself and not a web page, then get it again.',
    );
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw truncated(file, header, bytes.length);
  const shape = shapeOf(bytes);
  const expected = header + sizeOf(shape) * type.bytes;
  if (bytes.length < expected) throw truncated(file, expected, bytes.length);
  if (bytes.length > expected) {
    throw new UserError(
      `${file}: ${bytes.length} bytes, but its header [${shape.join(', ')}] of ${type.name} says ${expected}`,
      'The header and the data do not belong together; get the file again.',
    );
  }
  if (shape.includes(0)) throw new UserError(`${file}: holds no samples: [${shape.join(', ')}]`, 'Get the file again.');
  return { shape, type: bytes[2]!, body: bytes.subarray(header) };
}

function shapeOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes[3]! }, (_, axis) => view.getUint32(4 + 4 * axis));
}

const sizeByHeader: SizeByHeader = (start) => {
  const [type, header] = [TYPES[start[2] ?? 0], 4 + 4 * (start[3] ?? 0)];
  return type === undefined || start.length < header ? undefined : header + sizeOf(shapeOf(start)) * type.bytes;
};

function truncated(file: string, expected: number, received: number): UserError {
  return new UserError(
    `${file}: truncated: expected ${expected} bytes by its header, received ${received}`,
    'Get the file again and compare its size with the source.',
  );
}

function samplesOf({ shape, type, body }: IdxArray): Samples {
  if (type === 0x08) {
    const samples = sharedBytes(body.length);
    samples.set(body);
    return samples;
  }
  const { bytes, read } = TYPES[type]!;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const samples = sharedFloats(sizeOf(shape));
  for (let i = 0; i < samples.length; i++) samples[i] = read(view, i * bytes);
  return samples;
}

function integersOf({ shape, type, body }: IdxArray, file: string): Int32Array {
  const { name, bytes, read } = TYPES[type]!;
  if (type > 0x0c)
    throw new UserError(`${file}: labels are ${name}, expected integers`, 'Store the labels as unsigned bytes.');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return Int32Array.from({ length: shape[0]! }, (_, i) => read(view, i * bytes));
}
