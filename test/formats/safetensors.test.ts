import { UserError } from '../../src/base/errors.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import type { StoredTensor } from '../../src/formats/safetensors.ts';

const tensors = new Map<string, StoredTensor>([
  ['flag', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['dense/kernel', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1.5, -2, NaN, -0) }],
  ['half', { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) }],
  ['step', { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 60n)) }],
  ['empty', { dtype: 'int32', shape: [0, 4], data: new Int32Array(0) }],
  ['short', { dtype: 'int16', shape: [1], data: Int16Array.of(-3) }],
  ['byte', { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }],
]);

/** A file with this header and this many bytes of tensors. */
function made(header: unknown, body = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + body);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

describe('safetensors', () => {
  it('gives back every type, shape and bit', () => {
    const file = writeSafetensors({ tensors, metadata: { stage: 'distill', a: 'ü' } });
    const read = readSafetensors(file, 'x');
    expect(read.metadata).toEqual({ stage: 'distill', a: 'ü' });
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
    expect(Object.is((read.tensors.get('dense/kernel')!.data as Float32Array)[3], -0)).toBe(true);
  });

  it('writes the same bytes whatever the order of tensors and metadata', () => {
    const turned = new Map([...tensors].reverse());
    expect(writeSafetensors({ tensors: turned, metadata: { b: '1', a: '2' } })).toEqual(
      writeSafetensors({ tensors, metadata: { a: '2', b: '1' } }),
    );
  });

  it('lays out what the reference implementation reads: sorted by width, aligned, header padded with spaces', () => {
    const file = writeSafetensors({ tensors, metadata: {} });
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as Record<
      string,
      { data_offsets: number[] }
    >;
    expect(header['step']!.data_offsets).toEqual([0, 8]);
    expect(header['dense/kernel']!.data_offsets).toEqual([8, 24]);
    expect(header).not.toHaveProperty('__metadata__');
  });

  it('reads a file that lies unaligned inside another', () => {
    const file = writeSafetensors({ tensors, metadata: {} });
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(readSafetensors(shifted.subarray(3), 'x').tensors.get('half')).toEqual(tensors.get('half'));
  });

  it('reads a file whose header has any length, as a Buffer too: its tensors are copies', () => {
    const file = Buffer.from(made({ x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 4));
    file.writeFloatLE(1.5, file.length - 4);
    const { data } = readSafetensors(file, 'x').tensors.get('x')!;
    file.fill(0);
    expect(data).toEqual(Float32Array.of(1.5));
  });

  const f32 = (from: number, to: number, shape = [1]) => ({ dtype: 'F32', shape, data_offsets: [from, to] });
  it.each([
    ['an empty file', new Uint8Array(0), /has 0 bytes/],
    ['a header longer than the file', made({}).fill(0xff, 0, 4), /header is said to have/],
    ['a header that is no JSON', made('{oops'), /not a JSON object/],
    ['a header that is a list', made('[]'), /not a JSON object/],
    ['metadata that is no text', made({ __metadata__: { a: 1 } }), /__metadata__/],
    ['an unknown type', made({ a: { dtype: 'F8', shape: [1], data_offsets: [0, 1] } }, 1), /unsupported type "F8"/],
    ['a negative size', made({ a: f32(0, 4, [-1]) }, 4), /no valid shape/],
    ['offsets that do not fit the shape', made({ a: f32(0, 8) }, 8), /needs 4 bytes, its offsets span 8/],
    ['a gap', made({ a: f32(0, 4), b: f32(8, 12) }, 12), /b starts at byte 8, the tensor before it ends at 4/],
    ['an overlap', made({ a: f32(0, 4), b: f32(0, 4) }, 4), /b starts at byte 0/],
    ['a truncated body', made({ a: f32(0, 4) }, 2), /ends at byte 4, the file has 2/],
    ['bytes that belong to nothing', made({ a: f32(0, 4) }, 6), /2 bytes at the end/],
  ])('refuses %s', (_name, file, message) => {
    const read = () => readSafetensors(file, 'weights.safetensors');
    expect(read).toThrow(UserError);
    expect(read).toThrow(/^weights\.safetensors: not a valid safetensors file: /);
    expect(read).toThrow(message);
  });

  it('refuses to write data that does not fit its shape', () => {
    const wrong = new Map([['a', { dtype: 'float32', shape: [3], data: new Float32Array(2) } as const]]);
    expect(() => writeSafetensors({ tensors: wrong, metadata: {} })).toThrow(/takes 12 bytes, data has 8/);
  });
});
