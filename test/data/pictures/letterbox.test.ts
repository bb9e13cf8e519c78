import sharp from 'sharp';
import { decodedPicture } from '../../../src/data/pictures/decode.ts';
import { letterboxed, placeIn } from '../../../src/data/pictures/letterbox.ts';

it.each([
  [{ height: 60, width: 20 }, [40, 80], { top: 0, left: 33, height: 40, width: 13 }],
  [{ height: 480, width: 640 }, [320, 320], { top: 40, left: 0, height: 240, width: 320 }],
  [{ height: 10, width: 20 }, [40, 80], { top: 0, left: 0, height: 40, width: 80 }],
  [{ height: 1, width: 1000 }, [32, 32], { top: 15, left: 0, height: 1, width: 32 }],
] as const)('a picture of %j lies in %j in its middle', (own, to, expected) => {
  expect(letterboxed(own, to)).toEqual(expected);
});

it('the place of a picture is the whole of the input where it is stretched', () => {
  const whole = { left: 0, top: 0, across: 1, down: 1 };
  expect(placeIn({ height: 60, width: 20 }, [40, 80], 'stretch')).toEqual(whole);
  expect(placeIn({ height: 60, width: 20 }, undefined, 'letterbox')).toEqual(whole);
  expect(placeIn({ height: 480, width: 640 }, [320, 320], 'letterbox')).toEqual({ ...whole, top: 0.125, down: 0.75 });
});

it('a picture for a model of another size keeps its proportions too', async () => {
  const input = await sharp({ create: { width: 20, height: 10, channels: 3, background: { r: 250, g: 0, b: 0 } } }).png().toBuffer(); // prettier-ignore
  const picture = { where: 'a.png', input };
  const pixels = await decodedPicture(picture, [8, 8, 3], { fit: 'letterbox' });
  const reds = Array.from({ length: 8 }, (_, y) => pixels[y * 8 * 3]!);
  expect(reds).toEqual([114, 114, 250, 250, 250, 250, 114, 114]);
  expect((await decodedPicture(picture, [8, 8, 1], { fit: 'letterbox' })).subarray(0, 8)).toEqual(new Uint8Array(8).fill(114)); // prettier-ignore
  expect((await decodedPicture(picture, [8, 8, 3])).subarray(0, 3)).toEqual(Uint8Array.of(250, 0, 0));
});
