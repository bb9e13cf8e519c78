import { bytesOf, fromHalf } from '../../../base/bytes.ts';
import { UserError, shown } from '../../../base/errors.ts';
import { faultOfArrays } from '../../../base/process/memory.ts';
import { countOfElements, storedSamples } from '../../dataset.ts';
import type { RawLabels, Samples } from '../../dataset.ts';
import { likeSamples } from '../../storage/sample-storage.ts';
import { LabelNames } from '../../splits/label-names.ts';
import { hex } from '../source.ts';
import { SUPPORTED_LABELS } from '../supported.ts';

interface DType {
  readonly bytes: number;
  readonly integer: boolean;
  readonly read: (view: DataView, at: number) => number;
}

/** NumPy's type codes, without the byte order. */
const DTYPES: Readonly<Record<string, DType>> = {
  b1: { bytes: 1, integer: true, read: (view, at) => view.getUint8(at) },
  u1: { bytes: 1, integer: true, read: (view, at) => view.getUint8(at) },
  i1: { bytes: 1, integer: true, read: (view, at) => view.getInt8(at) },
  u2: { bytes: 2, integer: true, read: (view, at) => view.getUint16(at, true) },
  i2: { bytes: 2, integer: true, read: (view, at) => view.getInt16(at, true) },
  u4: { bytes: 4, integer: true, read: (view, at) => view.getUint32(at, true) },
  i4: { bytes: 4, integer: true, read: (view, at) => view.getInt32(at, true) },
  u8: { bytes: 8, integer: true, read: (view, at) => Number(view.getBigUint64(at, true)) },
  i8: { bytes: 8, integer: true, read: (view, at) => Number(view.getBigInt64(at, true)) },
  f2: { bytes: 2, integer: false, read: (view, at) => fromHalf(view.getUint16(at, true)) },
  f4: { bytes: 4, integer: false, read: (view, at) => view.getFloat32(at, true) },
  f8: { bytes: 8, integer: false, read: (view, at) => view.getFloat64(at, true) },
};

/** Strings of up to n characters: UTF-32 (`U`, from str) or bytes (`S`), padded with zeros. */
const WORDS = /^([US])(\d+)$/;

/** Bytes of an element, and of the unit that byte order applies to. */
function sizesOf(code: string): { element: number; number: number } | undefined {
  const words = WORDS.exec(code);
  if (words === null) {
    const bytes = DTYPES[code]?.bytes;
    return bytes === undefined ? undefined : { element: bytes, number: bytes };
  }
  const number = words[1] === 'U' ? 4 : 1;
  return { element: number * Number(words[2]), number };
}

export interface NpyArray {
  readonly where: string;
  readonly shape: readonly number[];
  /** NumPy's type code, such as `u1`, `f4` or `U5`. */
  readonly code: string;
  /** The values, little endian, the last axis varying fastest. */
  readonly body: Uint8Array;
}

/**
 * Parses NumPy's file format (numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Big-endian values and Fortran order (as from pandas
 * tables) are converted to little endian and C order.
 */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const { shape, code, isBigEndian, isFortran, length: end, sizes } = npyHeader(bytes, where);
  const expected = end + countOfElements(shape) * sizes.element;
  if (bytes.length < expected) throw truncated(where, expected, bytes.length);
  let body = bytes.subarray(end, expected);
  if (isBigEndian) body = reversed(body, sizes.number);
  if (isFortran) body = rowsFirst(body, shape, sizes.element);
  return { where, shape, code, body };
}

export interface NpyHeader extends Pick<NpyArray, 'shape' | 'code'> {
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  /** Number of bytes before the first value. */
  readonly length: number;
  /** Bytes of an element, and of the unit that byte order applies to. */
  readonly sizes: { readonly element: number; readonly number: number };
}

/** Parses the header of an array from the first bytes of a file. */
export function npyHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (bytes.length < 10 || hex(bytes, 6) !== '93 4e 55 4d 50 59') {
    throw new UserError(
      `${where}: not a NumPy array: ${bytes.length === 0 ? 'it is empty' : `it starts with ${hex(bytes, 6)}, expected 93 4e 55 4d 50 59`}`,
      'Write it with numpy.save or numpy.savez.',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2;
  const start = wide ? 12 : 10;
  const end = start + (bytes.length < start ? 0 : wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (bytes.length < end) throw truncated(where, end, bytes.length);
  const { descr, fortran, shape } = parseHeader(Buffer.from(bytes.subarray(start, end)).toString('latin1'), where);
  const code = descr.replace(/^[<>|=]/, '');
  const sizes = sizesOf(code);
  if (sizes === undefined) throw unsupported(where, code === 'O' ? 'objects of Python' : shown(descr), code);
  return { shape, code, isBigEndian: descr.startsWith('>'), isFortran: fortran, length: end, sizes };
}

function unsupported(where: string, dtype: string, code: string): UserError {
  return new UserError(
    `${where}: unsupported dtype ${dtype}, expected bool, uint8 to uint64, int8 to int64, float16, float32 or float64`,
    code === 'O' || WORDS.test(code)
      ? "Save samples as numbers, and labels as numbers or with astype('U')."
      : "Save it as array.astype('float32').",
  );
}

function parseHeader(header: string, where: string): { descr: string; fortran: boolean; shape: number[] } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1];
  if (descr === undefined && /'descr'\s*:\s*\[/.test(header)) {
    throw new UserError(
      `${where}: unsupported dtype: a structured array`,
      'Save samples and labels as two plain arrays.',
    );
  }
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw new UserError(
      `${where}: the header is damaged: ${shown(header.trim())}`,
      'Write the array again with numpy.save.',
    );
  }
  return { descr, fortran: fortran === 'True', shape: shape.split(',').map(parseFloat).filter(Number.isFinite) };
}

/** Swaps the byte order of values of `bytes` bytes. */
export function reversed(body: Uint8Array, bytes: number): Uint8Array {
  const out = new Uint8Array(body.length);
  for (let i = 0; i < body.length; i++) out[i] = body[i - 2 * (i % bytes) + bytes - 1]!;
  return out;
}

/** Converts an array from Fortran order to C order. */
function rowsFirst(body: Uint8Array, shape: readonly number[], bytes: number): Uint8Array {
  const strides = shape.map((_, axis) => bytes * countOfElements(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  const out = new Uint8Array(body.length);
  for (let to = 0, from = 0; to < out.length; to += bytes) {
    for (let i = 0; i < bytes; i++) out[to + i] = body[from + i]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

export function truncated(where: string, expected: number, received: number): UserError {
  return new UserError(
    `${where}: truncated: expected ${expected} bytes by its header, received ${received}`,
    'Get the file again and compare its size with the source.',
  );
}

/** True for an integer array. */
export function holdsWhole({ code }: NpyArray): boolean {
  return DTYPES[code]?.integer === true;
}

/** Samples of an array: uint8 is kept, other types become float32. */
export function npySamples({ where, shape, code, body }: NpyArray): Samples {
  if (WORDS.test(code)) throw unsupported(where, shown(code), code);
  if (code === 'u1') return storedSamples(body, countOfElements(shape), undefined);
  if (code === 'f4' && body.buffer instanceof SharedArrayBuffer && body.byteOffset % 4 === 0)
    return new Float32Array(body.buffer, body.byteOffset, countOfElements(shape));
  const fault = faultOfArrays([{ values: countOfElements(shape), bytesEach: 4 }]);
  if (fault !== undefined) throw new UserError(`${where}: its values ${fault}`, 'Use fewer samples, or free memory.');
  return storedSamples(body, countOfElements(shape), DTYPES[code]);
}

/** Samples [channels, height, width] as [height, width, channels]. */
export function toChannelsLast(samples: Samples, [channels, ...sides]: readonly number[]): Samples {
  const out = likeSamples(samples, samples.length);
  const pixels = countOfElements(sides);
  const size = channels! * pixels;
  for (let start = 0; start < samples.length; start += size) {
    for (let c = 0; c < channels!; c++) {
      for (let p = 0; p < pixels; p++) out[start + p * channels! + c] = samples[start + c * pixels + p]!;
    }
  }
  return out;
}

/** Targets of a regression: [count] or [count, width]. */
export function npyNumbers(array: NpyArray): RawLabels {
  const { where, shape, code, body } = array;
  if (shape.length < 1 || shape.length > 2 || countOfElements(shape) === 0) {
    throw new UserError(
      `${where}: labels have the shape [${shape.join(', ')}], expected [samples] or [samples, numbers]`,
      'Reshape the array; its first axis counts the samples.',
    );
  }
  if (WORDS.test(code)) return wordLabels(array);
  const { bytes, read } = DTYPES[code]!;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const values = Float32Array.from({ length: countOfElements(shape) }, (_, i) => read(view, i * bytes));
  return { kind: 'numbers', values, width: shape[1] ?? 1 };
}

/** Masks [samples, height, width] of whole numbers from 0 to 255. */
export function npyMasks({ where, shape, code, body }: NpyArray): RawLabels {
  const kind = DTYPES[code];
  if (shape.length !== 3 || countOfElements(shape) === 0 || kind?.integer !== true)
    throw new UserError(
      `${where}: masks are ${code} of shape [${shape.join(', ')}], expected whole numbers [samples, height, width]`,
      'Save masks as uint8: the class of each pixel, 255 for none.',
    );
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const values = new Uint8Array(countOfElements(shape));
  for (let i = 0; i < values.length; i++) {
    const value = kind.read(view, i * kind.bytes);
    if (!(value >= 0 && value <= 255))
      throw new UserError(
        `${where}: mask ${Math.floor(i / (shape[1]! * shape[2]!))} holds ${value}, expected numbers from 0 to 255`,
        'Save masks as uint8: the class of each pixel, 255 for none.',
      );
    values[i] = value;
  }
  return { kind: 'numbers', values, width: shape[1]! * shape[2]! };
}

/** Class indexes, or words. */
export function npyLabels(array: NpyArray): RawLabels {
  const { where, shape, code, body } = array;
  if (countOfElements(shape.slice(1)) !== 1) {
    throw new UserError(
      `${where}: labels have the shape [${shape.join(', ')}], expected one class index per sample`,
      `${SUPPORTED_LABELS} One-hot labels: save labels.argmax(axis=1).`,
    );
  }
  if (WORDS.test(code)) return wordLabels(array);
  const { bytes, integer, read } = DTYPES[code]!;
  const count = shape[0] ?? 0;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const value = read(view, i * bytes);
    values[i] = value;
    if (values[i] !== value) {
      throw new UserError(
        `${where}: sample ${i}: label ${value} is no class index${integer ? '' : ` (the array is float${8 * bytes})`}`,
        `${SUPPORTED_LABELS} Save whole numbers from 0, as labels.astype('int64').`,
      );
    }
  }
  return { kind: 'index', values };
}

function wordLabels({ where, shape, code, body }: NpyArray): RawLabels {
  const { element } = sizesOf(code)!;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const labels = new LabelNames();
  for (let i = 0; i < (shape[0] ?? 0); i++) {
    const at = (): string => `${where}: sample ${i}`;
    const name = (code.startsWith('U') ? utf32 : utf8)(view, i * element, element).trim();
    if (name === '') labels.pushNone(at);
    else labels.push(name, at);
  }
  return labels.labels();
}

function utf32(view: DataView, at: number, bytes: number): string {
  const letters: string[] = [];
  for (let i = at; i < at + bytes; i += 4) {
    const point = view.getUint32(i, true);
    if (point === 0) break;
    letters.push(point > 0x10ffff ? '\uFFFD' : String.fromCodePoint(point));
  }
  return letters.join('');
}

function utf8(view: DataView, at: number, bytes: number): string {
  const text = Buffer.from(view.buffer, view.byteOffset + at, bytes);
  const end = text.indexOf(0);
  return text.subarray(0, end < 0 ? bytes : end).toString('utf8');
}

/** An array in the format of numpy.save (1.0). */
export function npyBytes(shape: readonly number[], data: Samples | Int32Array): Uint8Array {
  return Buffer.concat([
    npyHead(shape, data instanceof Uint8Array ? '|u1' : data instanceof Int32Array ? '<i4' : '<f4'),
    bytesOf(data),
  ]);
}

/** Header of an .npy file of version 1, which the numbers follow. */
export function npyHead(shape: readonly number[], code: string): Uint8Array {
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = text.padEnd(Math.ceil((11 + text.length) / 64) * 64 - 11) + '\n';
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([head, Buffer.from(padded, 'latin1')]);
}
