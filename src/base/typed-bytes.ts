/** Bytes of a typed array, without a copy. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** True if a part stands anywhere in the bytes. Without Buffer, which browsers do not have. */
export function includesBytes(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = bytes.indexOf(part[0]!); at !== -1; at = bytes.indexOf(part[0]!, at + 1))
    if (part.every((byte, i) => bytes[at + i] === byte)) return true;
  return false;
}

/** First bytes as hexadecimal text, such as `3c 21 44 4f`. */
export function hex(bytes: Uint8Array, count = 4): string {
  return Array.from(bytes.subarray(0, count), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** float32 to IEEE 754 binary16 bits, round to nearest even; overflow gives infinity. */
export function toHalf(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  const unbiased = exponent - 112;
  if (unbiased >= 31) return sign | 0x7c00;
  if (unbiased <= 0) {
    if (unbiased < -10) return sign;
    return sign | roundShift(mantissa | 0x800000, 14 - unbiased);
  }
  // A carry from the mantissa increments the exponent, which rounds up to the next binade.
  return sign | ((unbiased << 10) + roundShift(mantissa, 13));
}

function roundShift(value: number, shift: number): number {
  const result = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (result & 1) === 1) ? result + 1 : result;
}

/** The numbers of all binary16 bits: powers of two are eight times as slow as a look-up. */
let halves: Float32Array | undefined;

/** IEEE 754 binary16 bits to a number. */
export function fromHalf(bits: number): number {
  halves ??= Float32Array.from({ length: 0x10000 }, (_, i) => numberOfHalf(i));
  return halves[bits]!;
}

function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

export function toHalfArray(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = toHalf(values[i]!);
  return out;
}

export function fromHalfArray(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = fromHalf(halves[i]!);
  return out;
}
