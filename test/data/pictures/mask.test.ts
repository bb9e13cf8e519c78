import sharp from 'sharp';
import { RandomStream } from '../../../src/base/random.ts';
import { maskPixels, resizedMask } from '../../../src/data/pictures/mask.ts';
import { indexedPng } from '../../support/png.ts';
import { userError } from '../support.ts';

const [height, width] = [7, 13];
const size = { height, width };

function indexes(below: number): Uint8Array {
  const random = new RandomStream('indexes', below);
  return Uint8Array.from({ length: height * width }, () => random.below(below));
}

it.each([1, 2, 4, 8] as const)(
  'the numbers of a PNG of %i bits are read as they are, whatever its palette shows',
  async (depth) => {
    const mask = indexes(2 ** depth);
    for (const kind of ['palette', 'grey'] as const)
      expect(new Uint8Array(await maskPixels(indexedPng(mask, { ...size, depth, kind }), 'm.png', size))).toEqual(mask);
  },
);

it('grey PNGs of sharp are read, interlaced ones too', async () => {
  const mask = indexes(256);
  const grey = sharp(mask, { raw: { ...size, channels: 1 } }).toColourspace('b-w');
  for (const progressive of [false, true])
    expect(new Uint8Array(await maskPixels(await grey.png({ progressive }).toBuffer(), 'm.png', size))).toEqual(mask);
});

it('no wrong mask is read: another size, colours, 16 bits, damage', async () => {
  const png = indexedPng(indexes(5), size);
  const { message, hint } = await userError(maskPixels(png, 'm.png', { height: 13, width: 7 }));
  expect(message).toBe('m.png: the mask is 7x13 (height x width), and its picture 13x7');
  expect(hint).toBe('A mask has a pixel for each pixel of its picture.');
  const colours = sharp({ create: { ...size, channels: 3, background: 'red' } });
  const of = async (bytes: Promise<Uint8Array>) => (await userError(maskPixels(await bytes, 'm.png', size))).message;
  expect(await of(colours.png().toBuffer())).toBe('m.png: the mask holds colours, expected class indexes');
  expect(await of(colours.toColourspace('grey16').png().toBuffer())).toBe(
    'm.png: the mask holds grey of 16 bits, expected class indexes',
  );
  expect(await of(colours.jpeg().toBuffer())).toMatch(/^m\.png: the mask is no PNG \(\d+ bytes\)$/);
  expect(await of(Promise.resolve(png.subarray(0, 60)))).toMatch(
    /^m\.png: cannot decode the mask: .*\(received 60 bytes\)$/,
  );
  const damaged = png.slice();
  damaged[24] = 4;
  expect(await of(Promise.resolve(damaged))).toBe('m.png: the header of the mask has a wrong checksum');
  expect(await of(Promise.resolve(png.subarray(0, 20)))).toBe('m.png: the mask is no PNG (20 bytes)');
});

it('a resized mask has the class of the nearest pixel', () => {
  const mask = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const from = { height: 2, width: 3 };
  expect(resizedMask(mask, from, from)).toEqual(mask);
  expect([...resizedMask(mask, from, { height: 4, width: 6 })]).toEqual([
    ...[1, 1, 2, 2, 3, 3],
    ...[1, 1, 2, 2, 3, 3],
    ...[4, 4, 5, 5, 6, 6],
    ...[4, 4, 5, 5, 6, 6],
  ]);
  expect([...resizedMask(mask, from, { height: 1, width: 1 })]).toEqual([5]);
  const [rows, columns] = [7, 5];
  const places = Uint8Array.from({ length: 99 }, (_, i) => i);
  const resized = resizedMask(places, { height: 9, width: 11 }, { height: rows, width: columns });
  resized.forEach((value, i) => {
    const [y, x] = [((Math.floor(i / columns) + 0.5) * 9) / rows - 0.5, (((i % columns) + 0.5) * 11) / columns - 0.5];
    expect(Math.abs(Math.floor(value / 11) - y)).toBeLessThanOrEqual(0.5);
    expect(Math.abs((value % 11) - x)).toBeLessThanOrEqual(0.5);
  });
});
