import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { plainHeader } from '../../../src/data/pictures/header.ts';
import { pictureHeader } from '../../../src/data/pictures/picture.ts';

const noise = (channels: 1 | 2 | 3 | 4): Sharp =>
  sharp(
    Uint8Array.from({ length: 9 * 7 * channels }, (_, i) => (i * 37) % 256),
    { raw: { width: 9, height: 7, channels } },
  );

const PLAIN: Readonly<Record<string, () => Sharp>> = {
  'a colour JPEG': () => noise(3).jpeg(),
  'a progressive JPEG': () => noise(3).jpeg({ progressive: true }),
  'a JPEG with a colour profile': () => noise(3).withIccProfile('p3').jpeg(),
  'a grey JPEG': () => noise(1).toColourspace('b-w').jpeg(),
  'a colour PNG': () => noise(3).png(),
  'an interlaced PNG': () => noise(3).png({ progressive: true }),
  'a PNG with alpha': () => noise(4).png(),
  'a grey PNG': () => noise(1).toColourspace('b-w').png(),
  'a grey PNG with alpha': () => noise(2).toColourspace('b-w').png(),
  'a PNG of 16 bits': () => noise(3).toColourspace('rgb16').png(),
  'a PNG with a palette': () => noise(3).png({ palette: true }),
  'a PNG with a palette and alpha': () => noise(4).png({ palette: true }),
  'a PNG with a palette of two colours': () => noise(1).png({ palette: true, colours: 2 }),
};

it.each(Object.entries(PLAIN))('%s has the header that sharp reads', async (_, make) => {
  const bytes = await make().toBuffer();
  const { width, height, channels, hasAlpha, space, autoOrient, orientation } = await sharp(bytes).metadata();
  const found = plainHeader(bytes)!;
  expect(found).toEqual({ width, height, channels, hasAlpha, space: found.space, autoOrient });
  // Spaces of 16 bits are read as those of 8.
  expect([space, `${found.space}16`.replace('b-w', 'grey').replace('srgb', 'rgb'), found.space]).toContain(space);
  expect(orientation).toBeUndefined();
});

const OTHER: Readonly<Record<string, () => Sharp>> = {
  'a JPEG that Exif turns': () => noise(3).withMetadata({ orientation: 6 }).jpeg(),
  'a PNG that Exif turns': () => noise(3).withMetadata({ orientation: 6 }).png(),
  'a JPEG of inks': () => noise(3).toColourspace('cmyk').jpeg(),
  'a WebP': () => noise(4).webp(),
  'a GIF': () => noise(3).gif(),
};

it.each(Object.entries(OTHER))('%s is left to sharp', async (_, make) => {
  const bytes = await make().toBuffer();
  expect(plainHeader(bytes)).toBeUndefined();
  const { width, height, autoOrient, space } = await sharp(bytes).metadata();
  expect(await pictureHeader(bytes)).toMatchObject({ width, height, autoOrient, space });
});

it('no cut or damaged header is read as a picture', async () => {
  for (const make of [PLAIN['a colour JPEG']!, PLAIN['a PNG with alpha']!]) {
    const bytes = await make().toBuffer();
    const right = plainHeader(bytes);
    for (let length = 0; length < bytes.length; length++)
      expect([undefined, right]).toContainEqual(plainHeader(bytes.subarray(0, length)));
    expect(plainHeader(bytes.subarray(0, 40))).toBeUndefined();
  }
});

it('looks at a thousand parts of a file and no more: a picture of 64 MiB may have millions of empty ones', () => {
  const png = Buffer.alloc(33 + 12 * 2_000_000);
  png.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x02', 'latin1');
  for (let at = 33; at < png.length; at += 12) png.write('tEXt', at + 4, 'latin1');
  const jpeg = Buffer.alloc(4 * 6_000_000);
  for (let at = 2; at + 4 <= jpeg.length; at += 4) jpeg.writeUInt32BE(0xffe00002, at);
  jpeg.writeUInt16BE(0xffd8, 0);
  for (const bytes of [png, jpeg]) {
    const began = process.cpuUsage().user;
    expect(plainHeader(bytes)).toBeUndefined();
    expect(process.cpuUsage().user - began).toBeLessThan(100_000);
  }
});
