import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { monotonicMs } from '../../base/clock.ts';
import { requireFile } from '../../base/files.ts';
import { freeMemory, memoryText } from '../../base/memory.ts';

// libvips chooses a decoder by the first bytes of a file, whatever its name says. Of an SVG of 200 bytes it renders filters for half an
// hour, and each further format is code that meets bytes of strangers.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`) });
// Each picture is read once: a cache only costs memory.
sharp.cache(false);

/** Bounds of the decoding of a picture that somebody else made. */
export interface PictureLimits {
  /** Height times width by the header of the file. */
  readonly pixels: number;
  /** Time of decoding and scaling, after which libvips stops. */
  readonly seconds: number;
  /** Pictures decoded at a time by this process. */
  readonly atOnce: number;
}

/** Limits for the files of a data set: photographs of any camera, whose large ones are scaled while they are read. */
export const OF_FILES: PictureLimits = { pixels: 2 ** 28, seconds: 120, atOnce: 8 };
/** Limits for the clients of a server. Two of libuv's four threads are left for files, compression and names of hosts. */
export const OF_CLIENTS: PictureLimits = { pixels: 25e6, seconds: 10, atOnce: 2 };

/** Most bytes for a pixel while it is decoded: the coefficients of a progressive JPEG, and the rows that they become. */
const BYTES_PER_PIXEL = 8;

/** Error for a header that promises more pixels than are decoded. */
export class TooManyPixels extends Error {
  override readonly name = 'TooManyPixels';
  readonly height: number;
  readonly width: number;

  constructor({ height, width }: Pick<Metadata, 'height' | 'width'>, most: number) {
    super(`its header says ${height}x${width} (height x width), expected at most ${most} pixels`);
    this.height = height;
    this.width = width;
  }
}

/**
 * Result of `decode` on a picture of PNG, JPEG, WebP, GIF, TIFF or AVIF, upright, with what its header says. The header is read first: nothing
 * is decoded of one that is too large, or before memory for all of its pixels is free. `TooManyPixels`; else an `Error` of one line.
 */
export async function withPicture<T>(
  input: string | Uint8Array,
  limits: PictureLimits,
  decode: (image: Sharp, found: Metadata) => Promise<T>,
): Promise<T> {
  const found = await pictureHeader(input);
  const pixels = found.width * found.height;
  if (pixels > limits.pixels) throw new TooManyPixels(found.autoOrient, limits.pixels);
  const bytes = BYTES_PER_PIXEL * pixels;
  await enter(bytes, limits.atOnce);
  const start = monotonicMs();
  try {
    const image = sharp(input, { failOn: 'error', limitInputPixels: limits.pixels }).autoOrient();
    return await decode(image.timeout({ seconds: limits.seconds }), found);
  } catch (error) {
    const { message } = error as Error;
    // libvips shares its error buffer among threads: another thread may have taken this message.
    const isLate = /timeout: \d|killed for image/.test(message) || monotonicMs() - start > 1000 * limits.seconds;
    const fact = isLate ? `decoding it took more than ${limits.seconds} s` : message.split('\n')[0]!;
    throw new Error(fact, { cause: error });
  } finally {
    leave(bytes);
  }
}

/** Size, channels and form of a picture, of which nothing is decoded. */
export async function pictureHeader(input: string | Uint8Array): Promise<Metadata> {
  if (typeof input === 'string') await requireFile(input);
  return sharp(input, { limitInputPixels: false }).metadata();
}

/** Pictures that are being decoded, their bytes, and calls to make when one of them is done. */
let [active, taken, waiting]: [number, number, (() => void)[]] = [0, 0, []];

async function enter(bytes: number, atOnce: number): Promise<void> {
  // A picture decoded beside others may take half of the memory that they leave; alone, all of it.
  while (active > 0 && (active >= atOnce || !isFree(2 * (taken + bytes))))
    await new Promise<void>((resolve) => waiting.push(resolve));
  if (!isFree(bytes))
    throw new Error(`decoding it takes ${memoryText(bytes)} of memory, and ${memoryText(freeMemory())} are free`);
  active++;
  taken += bytes;
}

function leave(bytes: number): void {
  active--;
  taken -= bytes;
  const called = waiting;
  waiting = [];
  for (const call of called) call();
}

/** True for few bytes without asking the system, which takes longer than a small picture. */
function isFree(bytes: number): boolean {
  return bytes < 2 ** 26 || bytes <= freeMemory();
}
