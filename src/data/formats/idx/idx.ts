import { openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { clipped, UserError } from '../../../base/errors.ts';
import { hex } from '../../../base/typed-bytes.ts';
import type { IdxFiles } from '../../config.ts';
import { countOfElements, sharedBytes, storedSamples } from '../../dataset.ts';
import type { RawSplit, Samples } from '../../dataset.ts';
import { heldIn, OpenFile } from '../../storage/sample-storage.ts';
import type { HeldSamples } from '../../storage/sample-storage.ts';
import { noLabels } from '../../readers/labelled.ts';
import type { Room } from '../../storage/memory-budget.ts';
import { Scratch, writeRows } from '../../storage/temporary-file.ts';
import { MOST_INFLATED } from '../../../base/zip-directory.ts';
import { isCompressed, openRaw, startOf, streamError } from '../../readers/source.ts';
import { requireLabelFile } from '../../readers/label-file.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SplitReader } from '../../readers/registry.ts';

/** Type byte of an IDX header: bytes per value, and a reader of one value (big endian). */
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

/** Reads IDX, the format of MNIST (yann.lecun.com/exdb/mnist): 00 00 type rank, the dimensions, the values; plain or gzip. */
export async function readIdx({ images, labels }: IdxFiles, room?: Room): Promise<RawSplit> {
  const [imageArray, labelArray] = await Promise.all([
    readImages(images, room),
    labels === undefined ? undefined : readArray(labels),
  ]);
  const [count, ...sample] = imageArray.shape as [number, ...number[]];
  if (sample.length < 1 || sample.length > 3) {
    throw new UserError(
      `${images}: expected 2 to 4 dimensions (samples first), received ${imageArray.shape.length}: [${clipped(imageArray.shape.join(', '))}]`,
      sample.length === 0
        ? 'This looks like a label file: are images and labels swapped?'
        : 'Store the samples as [count, height, width].',
    );
  }
  const read = { source: images, sampleShape: sample.length === 2 ? [...sample, 1] : sample };
  if (labels === undefined || labelArray === undefined)
    return { ...read, ...(await imageArray.held()), labels: noLabels(count) };
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
    ...read,
    ...(await imageArray.held()),
    labels: { kind: 'index', values: integersOf(labelArray, labels) },
  };
}

interface Images extends Pick<IdxArray, 'shape'> {
  readonly held: () => Promise<HeldSamples & { readonly notes?: readonly string[] }>;
}

/** The images of a file; images too large for memory stay in the file. */
async function readImages(file: string, room: Room | undefined): Promise<Images> {
  // An error here is ignored: reading the whole file reports it.
  const start = room && (await startOf(file).catch(() => undefined));
  const header = start && headerOf(start, file);
  if (header !== undefined) {
    const numbers = countOfElements(header.shape);
    const bytes = numbers * (header.type === 0x08 ? 1 : 4);
    if (!room!.take(bytes, Math.max(bytes, numbers * TYPES[header.type]!.bytes)))
      return { shape: header.shape, held: () => storedImages(file, header, room!) };
  }
  const array = await readArray(file);
  return { shape: array.shape, held: () => Promise.resolve({ samples: samplesOf(array) }) };
}

/** Plain bytes are read from the file itself; other numbers, and compressed files, are converted into a temporary file. */
async function storedImages(file: string, { shape, type, length }: Header, room: Room) {
  const [count, ...sample] = shape as [number, ...number[]];
  const rowSize = countOfElements(sample);
  const { bytes } = TYPES[type]!;
  const form = { type: type === 0x08 ? ('uint8' as const) : ('float32' as const), rowSize };
  const size = count * rowSize * (type === 0x08 ? 1 : 4);
  if (type === 0x08 && !(await isCompressed(file))) {
    refuseOtherLength(file, { shape, type, length }, (await stat(file)).size);
    const rows = Int32Array.from({ length: count }, (_, i) => i);
    const held = heldIn({ ...form, file, open: new OpenFile(openSync(file, 'r')), offset: length, rows });
    return { ...held, notes: [room.note(file, size, 'they are read from the file as they are needed')] };
  }
  const scratch = new Scratch(`${file}: its samples`, form, size);
  const convert = (body: Uint8Array): Samples => samplesOf({ shape: [1, ...sample], type, body });
  let found: number;
  try {
    found = await writeRows(scratch, await openRaw(file), { skip: length, rowBytes: rowSize * bytes, convert });
  } catch (error) {
    throw await streamError(file, error);
  }
  refuseOtherLength(file, { shape, type, length }, found);
  return { ...scratch.finish(), notes: [room.note(file, size, 'they are read into a temporary file')] };
}

/** Reads the values block by block into memory that threads share. */
async function readArray(file: string): Promise<IdxArray> {
  const header = headerOf(await startOf(file), file);
  const { shape, type, length } = header;
  const expected = length + countOfElements(shape) * TYPES[type]!.bytes;
  const { size } = await stat(file);
  if (!(await isCompressed(file))) refuseOtherLength(file, header, size);
  else if (expected > size * MOST_INFLATED) throw truncated(file, expected, size * MOST_INFLATED);
  const body = sharedBytes(expected - length);
  let found = 0;
  try {
    for await (const chunk of (await openRaw(file)) as AsyncIterable<Uint8Array>) {
      const from = Math.max(0, length - found);
      const at = Math.max(0, found - length);
      if (at < body.length) body.set(chunk.subarray(from, from + body.length - at), at);
      found += chunk.length;
    }
  } catch (error) {
    throw await streamError(file, error, `, which unpack to ${found} of the ${expected} that its header says`);
  }
  refuseOtherLength(file, header, found);
  return { shape, type, body };
}

interface Header extends Pick<IdxArray, 'shape' | 'type'> {
  /** Number of bytes before the first value. */
  readonly length: number;
}

/** `UserError` for a file that is not IDX or is empty. */
function headerOf(bytes: Uint8Array, file: string): Header {
  const type = TYPES[bytes[2] ?? 0];
  const rank = bytes[3] ?? 0;
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined || rank === 0) {
    throw new UserError(
      `${file}: not an IDX file: it starts with ${hex(bytes)}, expected gzip (1f 8b) or 00 00 and a type (08 to 0e)`,
      'Check that the download is the file itself and not a web page, then get it again.',
    );
  }
  const length = 4 + 4 * rank;
  if (bytes.length < length) throw truncated(file, length, bytes.length);
  return { shape: shapeOf(bytes), type: bytes[2]!, length };
}

function refuseOtherLength(file: string, { shape, type, length }: Header, received: number): void {
  const { name, bytes } = TYPES[type]!;
  const expected = length + countOfElements(shape) * bytes;
  if (received < expected) throw truncated(file, expected, received);
  if (received > expected) {
    throw new UserError(
      `${file}: ${received} bytes, but its header [${shape.join(', ')}] of ${name} says ${expected}`,
      'The header and the data do not belong together; get the file again.',
    );
  }
  if (shape.includes(0)) throw new UserError(`${file}: holds no samples: [${shape.join(', ')}]`, 'Get the file again.');
}

function shapeOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes[3]! }, (_, axis) => view.getUint32(4 + 4 * axis));
}

function truncated(file: string, expected: number, received: number): UserError {
  return new UserError(
    `${file}: truncated: expected ${expected} bytes by its header, received ${received}`,
    'Get the file again and compare its size with the source.',
  );
}

function samplesOf({ shape, type, body }: IdxArray): Samples {
  return storedSamples(body, countOfElements(shape), type === 0x08 ? undefined : TYPES[type]!);
}

function integersOf({ shape, type, body }: IdxArray, file: string): Int32Array {
  const { name, bytes, read } = TYPES[type]!;
  if (type > 0x0c)
    throw new UserError(`${file}: labels are ${name}, expected integers`, 'Store the labels as unsigned bytes.');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return Int32Array.from({ length: shape[0]! }, (_, i) => read(view, i * bytes));
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'idx' }>> = {
  read: (source, options) => readIdx(requireLabelFile(source, options), options.room),
};
