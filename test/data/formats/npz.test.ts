import * as zlib from 'node:zlib';
import { zipSync } from 'fflate';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { NpzConfig } from '../../../src/data/config.ts';
import { readNpz } from '../../../src/data/formats/npz/npz.ts';
import { temporaryFolder, userError } from '../support.ts';

const folder = temporaryFolder();
/** Written by NumPy 2.4; see fixtures/README.md. */
const byNumpy = path.resolve('test/data/fixtures/arrays.npz');

/** An .npy by hand; `header` overrides parts of it. */
function npy(
  descr: string,
  shape: readonly number[],
  body: Uint8Array,
  { fortran = false, version = 1 } = {},
): Uint8Array {
  const dimensions = `${shape.join(', ')}${shape.length === 1 ? ',' : ''}`;
  const text = `{'descr': ${descr.startsWith('[') ? descr : `'${descr}'`}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${dimensions}), }`;
  const prefix = version === 1 ? 10 : 12;
  const padded = text.padEnd(Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix - 1) + '\n';
  const head = Buffer.alloc(prefix);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  if (version === 1) head.writeUInt16LE(padded.length, 8);
  else head.writeUInt32LE(padded.length, 8);
  return Buffer.concat([head, Buffer.from(padded, 'latin1'), body]);
}

/** As NumPy has words of up to `most` letters. */
function utf32(words: readonly string[], most: number, little: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * most * words.length));
  words.forEach((word, at) => {
    Array.from(word).forEach((letter, i) => view.setUint32(4 * (at * most + i), letter.codePointAt(0)!, little));
  });
  return bytesOf(view);
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const labels2 = npy('<i8', [2], bytesOf(BigInt64Array.of(0n, 1n)));

async function readPair(
  samples: Uint8Array | string,
  labels: Uint8Array | string = labels2,
  layout?: NpzConfig['layout'],
) {
  return readNpz(
    { samples: await folder.file('x.npy', samples), labels: await folder.file('y.npy', labels) },
    { layout },
  );
}

describe('NumPy arrays', () => {
  it('reads what NumPy wrote: uint8 images and int64 labels, compressed', async () => {
    const split = await readNpz({ file: byNumpy, samples: 'x_train', labels: 'y_train' }, {});
    expect(split.sampleShape).toEqual([3, 4]);
    expect([...split.samples]).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(split.samples).toBeInstanceOf(Uint8Array);
    expect([...split.labels.values]).toEqual([0, 1]);
  });

  it('reads sequences with steps or channels first by their layout', async () => {
    const array = npy('<f4', [2, 2, 3], bytesOf(Float32Array.from({ length: 12 }, (_, i) => i)));
    const stepsFirst = await readPair(array, labels2, 'nwc');
    expect(stepsFirst.sampleShape).toEqual([2, 3]);
    expect([...stepsFirst.samples].slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
    const channelsFirst = await readPair(array, labels2, 'ncw');
    expect(channelsFirst.sampleShape).toEqual([3, 2]);
    expect([...channelsFirst.samples].slice(0, 6)).toEqual([0, 3, 1, 4, 2, 5]);
    const { message } = await userError(readPair(npy('<f4', [2, 3], bytesOf(new Float32Array(6))), labels2, 'ncw'));
    expect(message).toMatch(/expected sequences as \[samples, channels, steps\] by `layout: ncw`, received \[2, 3\]$/);
  });

  it('refuses arrays of several inputs that differ in their samples, also without labels', async () => {
    const [a, b] = [npy('|u1', [3, 2], new Uint8Array(6)), npy('|u1', [2, 2], new Uint8Array(4))];
    const file = await folder.file('two.npz', zipSync({ 'a.npy': a, 'b.npy': b }));
    const { message } = await userError(readNpz({ file, samples: ['a', 'b'] }, { withoutLabels: true }));
    expect(message).toContain('two.npz: b: 2 samples, beside 3 in');
  });

  it('reads float16 as NumPy means it', async () => {
    const split = await readNpz({ file: byNumpy, samples: 'half', labels: 'flag' }, {});
    expect([...split.samples]).toEqual([0.5, 1.5, -2.25, Math.fround(2 ** -23), 65504, 0]);
    expect([...split.labels.values]).toEqual([1, 0]);
  });

  it.each([
    ['<U4', utf32(['Ärme', 'b', 'Ärme'], 4, true)],
    ['>U4', utf32(['Ärme', 'b', 'Ärme'], 4, false)],
    ['|S5', Buffer.from('Ärmeb\0\0\0\0Ärme')],
  ])('reads labels that are words (%s)', async (descr, body) => {
    const { labels } = await readPair(npy('|u1', [3, 1], Uint8Array.of(1, 2, 3)), npy(descr, [3], body));
    expect(labels).toMatchObject({ kind: 'name', names: ['Ärme', 'b'], values: Int32Array.of(0, 1, 0) });
  });

  it('reads Fortran order, in which pandas hands out tables, and big endian', async () => {
    const fortran = await readPair(
      npy('|u1', [2, 2, 3], Uint8Array.of(0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11), { fortran: true }),
    );
    expect([...fortran.samples]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const big = Buffer.alloc(8);
    big.writeFloatBE(1.5, 0);
    big.writeFloatBE(-2, 4);
    const split = await readPair(npy('>f4', [2, 1], big), npy('>i2', [2], Uint8Array.of(0, 1, 0, 0)));
    expect([[...split.samples], [...split.labels.values]]).toEqual([
      [1.5, -2],
      [1, 0],
    ]);
  });

  it.each<[string, ArrayBufferView, number[]]>([
    ['<f4', Float32Array.of(1.5, -2), [1.5, -2]],
    ['<f8', Float64Array.of(0.1, -2), [Math.fround(0.1), -2]],
    ['|i1', Int8Array.of(-1, 127), [-1, 127]],
    ['<i2', Int16Array.of(-300, 300), [-300, 300]],
    ['<u2', Uint16Array.of(1, 65535), [1, 65535]],
    ['<i4', Int32Array.of(-70000, 7), [-70000, 7]],
    ['<u4', Uint32Array.of(4_000_000_000, 7), [4_000_000_000, 7]],
    ['<i8', BigInt64Array.of(-5n, 7n), [-5, 7]],
    ['<u8', BigUint64Array.of(5n, 7n), [5, 7]],
    ['|b1', Uint8Array.of(0, 1), [0, 1]],
  ])('reads %s as float32', async (descr, values, expected) => {
    const split = await readPair(npy(descr, [2, 1], bytesOf(values)));
    expect(split.samples).toBeInstanceOf(Float32Array);
    expect([...split.samples]).toEqual(expected);
    expect(split.sampleShape).toEqual([1]);
  });

  it('reads header version 2, and labels of shape [n, 1] or whole floats', async () => {
    const samples = npy('|u1', [2, 2], Uint8Array.of(1, 2, 3, 4), { version: 2 });
    const split = await readPair(samples, npy('<f4', [2, 1], bytesOf(Float32Array.of(1, 0))));
    expect([...split.samples]).toEqual([1, 2, 3, 4]);
    expect([...split.labels.values]).toEqual([1, 0]);
  });

  it('moves channels last when the layout is nchw', async () => {
    const samples = npy(
      '|u1',
      [2, 3, 1, 2],
      Uint8Array.from({ length: 12 }, (_, i) => i),
    );
    const split = await readPair(samples, labels2, 'nchw');
    expect(split.sampleShape).toEqual([1, 2, 3]);
    expect([...split.samples]).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
  });

  it('asks for the layout where channels look first', async () => {
    const samples = npy('|u1', [2, 3, 2, 5], new Uint8Array(60));
    const { message, hint } = await userError(readPair(samples));
    expect(message).toMatch(/x\.npy: is \[2, 3, 2, 5\] channels first \(as PyTorch has it\) or channels last\?$/);
    expect(hint).toMatch(/`layout: nchw`/);
    expect((await readPair(samples, labels2, 'nhwc')).sampleShape).toEqual([3, 2, 5]);
  });

  it('keeps the axes of an array; two of them are a grey picture where a layout says that samples are pictures', async () => {
    const shapeOf = async (shape: readonly number[], layout?: NpzConfig['layout']) => {
      const bytes = new Uint8Array(shape.reduce((product, size) => product * size));
      return (await readPair(npy('|u1', shape, bytes), labels2, layout)).sampleShape;
    };
    expect(await shapeOf([2, 5, 3])).toEqual([5, 3]);
    expect(await shapeOf([2, 5, 3], 'nhwc')).toEqual([5, 3, 1]);
    expect(await shapeOf([2, 5, 3], 'nchw')).toEqual([5, 3, 1]);
    expect(await shapeOf([2, 2, 4, 5, 3])).toEqual([2, 4, 5, 3]);
    expect(await shapeOf([2, 3, 2, 4, 5], 'nchw')).toEqual([2, 4, 5, 3]);
  });

  it('reads a list of one name as that name', async () => {
    const signal = npy('<f4', [2, 2, 1], bytesOf(Float32Array.of(1, 2, 3, 4)));
    const file = await folder.file('one.npz', zipSync({ 'signal.npy': signal, 'y.npy': labels2 }));
    const split = await readNpz({ file, samples: ['signal'] }, {});
    expect([split.sampleShape, split.inputs, [...split.samples]]).toEqual([[2, 1], undefined, [1, 2, 3, 4]]);
  });

  it.each([
    [[2, 4, 6, 6], true],
    [[2, 1, 4, 4], true],
    [[2, 6, 6, 6], false],
    [[2, 6, 6, 4], false],
    [[2, 8, 1, 1], false],
  ])('takes squares for pictures: [%s]', async (shape, asked) => {
    const samples = npy('|u1', shape, new Uint8Array(shape.reduce((product, size) => product * size)));
    const found = await readPair(samples).then(
      (split) => split.sampleShape.join(),
      (error: unknown) => (error as Error).message,
    );
    expect(found).toEqual(asked ? expect.stringMatching(/channels first/) : shape.slice(1).join());
  });
});

describe('broken NumPy arrays', () => {
  const two = Uint8Array.of(1, 2);

  it.each<[string, Uint8Array | string, RegExp, RegExp]>([
    [
      'complex numbers',
      npy('<c8', [2, 1], new Uint8Array(16)),
      /unsupported dtype "<c8", expected bool, uint8/,
      /float32/,
    ],
    ['words', npy('<U5', [2, 1], new Uint8Array(40)), /unsupported dtype "U5"/, /astype\('U'\)/],
    ['objects', npy('|O', [2, 1], two), /unsupported dtype objects of Python/, /astype\('U'\)/],
    [
      'records',
      npy("[('a', '<f4')]", [2], new Uint8Array(8)),
      /unsupported dtype: a structured array$/,
      /two plain arrays/,
    ],
    [
      'a truncated body',
      npy('<f4', [2, 1], two),
      /truncated: expected 136 bytes by its header, received 130$/,
      /again/,
    ],
    ['a truncated header', npy('|u1', [2, 1], two).subarray(0, 40), /truncated: expected 128 bytes/, /again/],
    [
      'another file',
      'just some text',
      /not a NumPy array: it starts with 6a 75 73 74 20 73, expected 93/,
      /numpy\.save/,
    ],
    ['an empty file', '', /the file is empty/, /again/],
    ['an archive', zipSync({ 'x.npy': two }), /this is an \.npz archive/, /`\{file: x\.npz/],
    ['a single number', npy('|u1', [], two), /expected samples as .* received \[\]$/, /first axis/],
    [
      'another count',
      npy('|u1', [3, 1], Uint8Array.of(1, 2, 3)),
      /y\.npy: 2 labels for the 3 samples of .*x\.npy$/,
      /same split/,
    ],
  ])('samples: %s', async (_, samples, message, hint) => {
    const error = await userError(readPair(samples));
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it('labels: one-hot rows and halves', async () => {
    const samples = npy('|u1', [2, 1], two);
    const oneHot = await userError(readPair(samples, npy('|u1', [2, 3], new Uint8Array(6))));
    expect(oneHot.message).toMatch(/labels have the shape \[2, 3\], expected one class index per sample$/);
    expect(oneHot.hint).toMatch(/argmax/);
    const halves = await userError(readPair(samples, npy('<f8', [2], bytesOf(Float64Array.of(0, 0.5)))));
    expect(halves.message).toMatch(/sample 1: label 0\.5 is no class index \(the array is float64\)$/);
  });

  it('archives: a wrong name, a truncated file, no archive', async () => {
    const wrong = await userError(readNpz({ file: byNumpy, samples: 'x_trian', labels: 'y_train' }, {}));
    expect(wrong.message).toMatch(
      /arrays\.npz: no array "x_trian", the archive has: x_train, y_train, half, double, flag$/,
    );
    expect(wrong.hint).toMatch(/^Did you mean "x_train"\?/);
    const zip = zipSync({ 'x.npy': npy('|u1', [2, 1], two), 'y.npy': labels2 });
    const whole = await readNpz({ file: await folder.file('whole.npz', zip) }, {});
    expect([...whole.samples]).toEqual([1, 2]);
    const cut = await userError(readNpz({ file: await folder.file('cut.npz', zip.subarray(0, zip.length - 30)) }, {}));
    expect(cut.message).toMatch(/truncated \(received \d+ bytes, without the directory at its end\)$/);
    const half = (await readFile(byNumpy)).subarray(0, 250);
    const short = await userError(readNpz({ file: await folder.file('half.npz', half) }, {}));
    expect(short.message).toMatch(
      /truncated \(received 250 bytes of more than \d+, without the directory at its end\)$/,
    );
    // numpy.savez does not compress: nothing but the CRC tells of a changed value.
    const stored = zipSync({ 'x.npy': [npy('|u1', [2, 1], two), { level: 0 }], 'y.npy': labels2 });
    stored[30 + 'x.npy'.length + npy('|u1', [2, 1], two).length - 1]! ^= 1;
    const flipped = await userError(readNpz({ file: await folder.file('flipped.npz', stored) }, {}));
    expect(flipped.message).toMatch(/flipped\.npz: the archive is damaged or truncated \(CRC-32 of x\.npy is wrong\)$/);
    const entry = zip.length - 22 - 46 - 'y.npy'.length;
    const named = zip.slice();
    named[entry] = 0;
    const lost = await userError(readNpz({ file: await folder.file('lost.npz', named) }, {}));
    expect(lost.message).toMatch(
      /lost\.npz: the archive is damaged or truncated \(its directory holds 1 of 2 entries\)$/,
    );
    const claiming = zip.slice();
    new DataView(claiming.buffer).setUint32(entry + 24, 1e9, true);
    const large = await userError(readNpz({ file: await folder.file('large.npz', claiming) }, {}));
    expect(large.message).toMatch(/\(an entry of \d+ bytes is said to hold 1000000000\)$/);
    const plain = await userError(readNpz({ file: await folder.file('plain.npz', labels2) }, {}));
    expect(plain.message).toMatch(/not an \.npz archive: it starts with 93 4e 55 4d, expected 50 4b 03 04$/);
    expect(plain.hint).toMatch(/`\{samples: x\.npy, labels: y\.npy\}`/);
  });
});

describe('an archive that is made to be large', () => {
  const x = npy('|u1', [2, 1], Uint8Array.of(1, 2));
  /** Place of the only entry in the directory of an archive. */
  const entryOf = (zip: Uint8Array): number => zip.length - 22 - 46 - 'x.npy'.length;
  const read = async (zip: Uint8Array, name = 'bomb.npz') =>
    userError(readNpz({ file: await folder.file(name, zip), labels: 'x' }, {}));
  const withSize = (zip: Uint8Array, size: number): Uint8Array => {
    const copy = zip.slice();
    // Of the directory and of the entry's own header, whichever a reader believes.
    for (const at of [entryOf(zip) + 24, 22]) new DataView(copy.buffer).setUint32(at, size, true);
    return copy;
  };

  it('is refused where its entry becomes larger than any data, with both sizes', async () => {
    const zeros = zlib.deflateRawSync(new Uint8Array(3 << 20), { level: 9 });
    const zip = zipSync({ 'x.npy': [new Uint8Array(3 << 20), { level: 9 }] });
    const packed = Buffer.concat(Array.from({ length: 1100 }, () => zeros));
    const named = Buffer.concat([zip.subarray(0, 35), packed, zip.subarray(entryOf(zip))]);
    const directory = named.length - 22 - 46 - 5;
    named.writeUInt32LE(packed.length, directory + 20);
    named.writeUInt32LE(1000 * packed.length, directory + 24);
    named.writeUInt32LE(directory, named.length - 6);
    expect((await read(named)).message).toMatch(
      /bomb\.npz: the archive is damaged or truncated \(x\.npy: 3 MB become 3\.\d GB, expected at most 500 times as many beyond 1\.1 GB/,
    );
  });

  it.each([
    ['more', 3000, /\(x\.npy holds 130 of 3000 bytes\)$/],
    ['fewer', 20, /\(x\.npy does not unpack to the 20 bytes that its directory says\)$/],
  ])('is refused where its entry is said to hold %s bytes than it does', async (_, size, message) => {
    expect((await read(withSize(zipSync({ 'x.npy': x }), size))).message).toMatch(message);
  });

  it('is refused where a plain entry is said to hold other bytes than the file has of it', async () => {
    const zip = zipSync({ 'x.npy': x }, { level: 0 });
    expect((await read(withSize(zip, 2 ** 31))).message).toMatch(
      /\(an entry of 130 bytes is said to hold 2147483648\)$/,
    );
  });

  it('is refused where its sizes are those of large archives, and not there', async () => {
    const zip = withSize(zipSync({ 'x.npy': x }), 0xffffffff);
    new DataView(zip.buffer).setUint16(zip.length - 12, 0xffff, true);
    expect((await read(zip)).message).toMatch(/\(an entry of \d+ bytes is said to hold 4294967295\)$/);
  });

  it('is refused where its entries are the same bytes over and over', async () => {
    const zip = zipSync({ 'a/x.npy': [x, { level: 0 }], 'b/x.npy': [x, { level: 0 }], 'c/x.npy': [x, { level: 0 }] });
    const first = zip.length - 22 - 3 * (46 + 7);
    const overlapping = Buffer.concat([zip.subarray(0, 37 + x.length), zip.subarray(first)]);
    overlapping.writeUInt32LE(37 + x.length, overlapping.length - 6);
    for (const i of [1, 2]) overlapping.writeUInt32LE(0, 37 + x.length + i * (46 + 7) + 42);
    expect((await read(overlapping)).message).toMatch(/\(its entries overlap\)$/);
  });
});
