import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { decodedPicture } from '../../../src/data/pictures/decode.ts';
import { readImageFolder } from '../../../src/data/readers/image-folder.ts';
import { OF_CLIENTS, withPicture } from '../../../src/data/pictures/picture.ts';
import { pixelsOf } from '../../../src/serve/v1/read.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { withRightSums } from '../../support/png.ts';
import { userError } from '../support.ts';

const folder = temporaryFolder();

const NOISE = '<filter id="f"><feTurbulence baseFrequency="0.9" numOctaves="9"/></filter>';
const SVG = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32">${NOISE}<rect width="32" height="32" filter="url(#f)"/></svg>`,
);
const described = { shape: [2, 2, 3], normalization: { scale: 1, mean: [0], std: [255] } } as unknown as Parameters<
  typeof pixelsOf
>[1];

const picture = (): Promise<Buffer> =>
  sharp({ create: { width: 6, height: 5, channels: 3, background: { r: 9, g: 8, b: 7 } } })
    .png()
    .toBuffer();

/** A small file whose header promises other sides. */
async function forged(side: number): Promise<Buffer> {
  const png = await picture();
  png.writeUInt32BE(side, 16);
  png.writeUInt32BE(side, 20);
  return withRightSums(png);
}

it('decodes no drawing for a data set, a teacher or a server, whatever it is called', async () => {
  await mkdir(path.join(folder(), 'a'));
  await writeFile(path.join(folder(), 'a/1.png'), SVG);
  const { message, hint } = await userError(readImageFolder(folder(), {}));
  expect(message).toMatch(/1\.png: cannot decode the image: Input file contains unsupported image format/);
  expect(hint).toMatch(/PNG, JPEG and WebP are read/);
  const taught = await userError(decodedPicture({ where: 'a/1.png', input: SVG }, [2, 2, 3]));
  expect(taught.message).toMatch(/unsupported image format/);
  await expect(pixelsOf(SVG, described)).rejects.toMatchObject({
    ...{ status: 400, message: 'the picture cannot be decoded: Input buffer contains unsupported image format' },
  });
});

it.each(['gif', 'tiff', 'avif', 'webp', 'jpeg', 'png'] as const)('decodes %s', async (format) => {
  const bytes = await sharp(await picture())
    .toFormat(format)
    .toBuffer();
  expect(await pixelsOf(bytes, described)).toHaveLength(12);
});

it('refuses a picture of a client by the pixels of its header', async () => {
  await expect(pixelsOf(await forged(5001), described)).rejects.toMatchObject({
    status: 400,
    message:
      'the picture cannot be decoded: its header says 5001x5001 (height x width), expected at most 25000000 pixels',
  });
});

it('decodes nothing that memory is not free for', async () => {
  const decode = (): never => {
    throw new Error('it was decoded');
  };
  const limits = { ...OF_CLIENTS, pixels: 1e12 };
  await expect(withPicture(await forged(500_000), limits, decode)).rejects.toThrow(
    /^decoding it takes 2000\.0 GB of memory, and .*B are free$/,
  );
});

it('ends decoding after its time', async () => {
  const large = await sharp({ create: { width: 2000, height: 2000, channels: 3, background: { r: 1, g: 2, b: 3 } } })
    .png()
    .toBuffer();
  const slow = withPicture(large, { ...OF_CLIENTS, seconds: 1 }, (image) => image.median(101).raw().toBuffer());
  await expect(slow).rejects.toThrow('decoding it took more than 1 s');
});

it('decodes so many at a time, and goes on behind one that fails', async () => {
  const png = await picture();
  let [now, most, done] = [0, 0, 0];
  const decode = async (_: unknown, i: number): Promise<void> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
    done++;
    if (i % 3 === 0) throw new Error('no');
  };
  const all = Array.from({ length: 9 }, (_, i) => withPicture(png, OF_CLIENTS, (image) => decode(image, i)));
  await Promise.allSettled(all);
  expect([most, done]).toEqual([OF_CLIENTS.atOnce, 9]);
});
