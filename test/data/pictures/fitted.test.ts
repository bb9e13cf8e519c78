import sharp from 'sharp';
import { decodedPicture } from '../../../src/data/pictures/decode.ts';
import { fittedPixels, opaque } from '../../../src/data/pictures/fitted.ts';

const [HEIGHT, WIDTH] = [45, 80];
const noise = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => (i * i * 31 + 7 * i) % 251);

it.each([
  [3, undefined],
  [3, 'letterbox'],
  [1, undefined],
  [1, 'letterbox'],
] as const)(
  'pixels of a browser become those that training reads of the file: %i channels, %s',
  async (channels, fit) => {
    const file = await sharp(noise, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .png()
      .toBuffer();
    const input = { where: 'noise.png', input: file };
    const expected = await decodedPicture(input, [32, 24, channels], { filter: 'lanczos', fit });
    const picture = { data: new Uint8Array(opaque(noise, 3)), height: HEIGHT, width: WIDTH, channels: 4 };
    const found = fittedPixels(picture, [32, 24, channels], fit);
    const off = found.map((value, i) => Math.abs(value - expected[i]!));
    expect(found).toHaveLength(32 * 24 * channels);
    // Grey is made before scaling there, and of scaled colours here.
    expect(Math.max(...off)).toBeLessThanOrEqual(channels === 3 ? 0 : 1);
  },
);

it('grey pixels have one value in red, green and blue', () => {
  expect([...opaque([7, 300.4], 1)]).toEqual([7, 7, 7, 255, 255, 255, 255, 255]);
  expect([...opaque([1, 2, 3], 3)]).toEqual([1, 2, 3, 255]);
});
