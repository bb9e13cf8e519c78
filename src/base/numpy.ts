import { UserError, shown } from './errors.ts';
import { fromHalf, hex } from './typed-bytes.ts';

interface NpyType {
  readonly bytes: number;
  readonly integer: boolean;
  readonly read: (view: DataView, at: number) => number;
}

/** NumPy's type codes, without the byte order. */
export const NPY_TYPES: Readonly<Record<string, NpyType>> = {
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
export const NPY_WORDS = /^([US])(\d+)$/;

/** Bytes of an element, and of the unit that byte order applies to. */
export function npySizes(code: string): { element: number; number: number } | undefined {
  const words = NPY_WORDS.exec(code);
  if (words === null) {
    const bytes = NPY_TYPES[code]?.bytes;
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
  const expected = end + elements(shape) * sizes.element;
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
  const { descr, fortran, shape } = parseHeader(new TextDecoder('latin1').decode(bytes.subarray(start, end)), where);
  const code = descr.replace(/^[<>|=]/, '');
  const sizes = npySizes(code);
  if (sizes === undefined) throw unsupportedNpy(where, code === 'O' ? 'objects of Python' : shown(descr), code);
  return { shape, code, isBigEndian: descr.startsWith('>'), isFortran: fortran, length: end, sizes };
}

export function unsupportedNpy(where: string, dtype: string, code: string): UserError {
  return new UserError(
    `${where}: unsupported dtype ${dtype}, expected bool, uint8 to uint64, int8 to int64, float16, float32 or float64`,
    code === 'O' || NPY_WORDS.test(code)
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
  const strides = shape.map((_, axis) => bytes * elements(shape.slice(0, axis)));
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

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Numbers of an array as float32. `UserError` for words. */
export function npyFloats({ where, shape, code, body }: NpyArray): Float32Array {
  const type = NPY_TYPES[code];
  if (type === undefined) throw unsupportedNpy(where, shown(code), code);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const floats = new Float32Array(elements(shape));
  for (let i = 0; i < floats.length; i++) floats[i] = type.read(view, i * type.bytes);
  return floats;
}
