import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { greyOf } from '../../../src/data/pictures/fitted.ts';
import { rawPixels, scaledPixels } from '../../../src/data/pictures/pixels.ts';
import type { Pixels } from '../../../src/data/pictures/decoded.ts';

const SIZES = [
  [3, 4],
  [11, 5],
  [16, 16],
] as const;

const read = async (image: Sharp): Promise<Pixels> => rawPixels(image, await image.metadata(), 3);
const scale = async (image: Sharp, size: readonly [number, number], channels: 1 | 3 = 3): Promise<Pixels> =>
  scaledPixels(image, await image.metadata(), size, channels);

it('scales a picture as if it had no transparency', async () => {
  const picture = (alpha: number): Promise<Buffer> => {
    const pixels = Array.from({ length: 64 }, (_, i) => [(37 * i) % 256, 255 - i, 90, i % 3 === 0 ? 255 : alpha]);
    return sharp(Uint8Array.from(pixels.flat()), { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toBuffer();
  };
  const [opaque, clear] = [await picture(255), await picture(0)];
  for (const size of SIZES) {
    const expected = await scale(sharp(opaque), size);
    expect(await scale(sharp(clear), size)).toEqual(expected);
  }
});

it('has the colours of Pillow for CMYK without a profile, at any size', async () => {
  const inks = sharp({ create: { width: 9, height: 7, channels: 3, background: { r: 200, g: 10, b: 30 } } });
  const jpeg = await inks.toColourspace('cmyk').jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
  const own = await read(sharp(jpeg));
  const scaled = await Promise.all(SIZES.map((size) => scale(sharp(jpeg), size)));
  // Image.open(…).convert("RGB") of inks 1, 255, 250, 33; sharp's own are 204, 5, 6.
  for (const { data } of [own, ...scaled]) expect([...data.subarray(0, 3)]).toEqual([221, 0, 4]);
});

it('makes grey of colours that were scaled, whether they became more or fewer', async () => {
  const values = Uint8Array.of(0, 0, 255, 255, 255, 0, 255, 0, 0);
  const picture = sharp(values, { raw: { width: 3, height: 1, channels: 3 } });
  for (const size of SIZES) {
    const { data } = await scale(picture.clone(), size);
    expect(await scale(picture.clone(), size, 1)).toMatchObject({ data: greyOf(data), channels: 1 });
  }
});
