import sharp from 'sharp';
import type { Metadata, Sharp } from 'sharp';
import { monotonicMs } from '../../base/clock.ts';
import { asUserError, openToRead, readInto } from '../../base/files.ts';
import { freeMemory, memoryText } from '../../base/process/memory.ts';
import { plainHeader } from './header.ts';
import type { PictureHeader } from './header.ts';

// libvips chooses a decoder by the first bytes of a file, whatever its name. An SVG of 200 bytes makes it render filters for half an hour, and each
// further format is code that untrusted bytes reach.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`) });
// Each picture is read once, so a cache only costs memory.
sharp.cache(false);

/** Limits on decoding a picture from an untrusted source. */
export interface PictureLimits {
  /** Height times width in the header. */
  readonly pixels: number;
  /** Maximum time for decoding and scaling, enforced by libvips. */
  readonly seconds: number;
  /** Number of pictures that this process decodes at a time. */
  readonly atOnce: number;
}

/** Limits for files of a data set: photographs of any camera; large ones are scaled while they are read. */
export const OF_FILES: PictureLimits = { pixels: 2 ** 28, seconds: 120, atOnce: 8 };
/** Limits for clients of a server. Two of libuv's four threads remain for files, compression and name resolution. */
export const OF_CLIENTS: PictureLimits = { pixels: 25e6, seconds: 10, atOnce: 2 };

/** Maximum bytes per pixel during decoding: the coefficients of a progressive JPEG, and the decoded rows. */
const BYTES_PER_PIXEL = 8;

/** Error for a header with more pixels than the limit. */
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
 * Calls `decode` on a PNG, JPEG, WebP, GIF, TIFF or AVIF picture, upright, with its header. Decoding begins only if the header is within the limits
 * and memory for all pixels is free. Throws `TooManyPixels`, or an `Error` of one line.
 */
export async function withPicture<T>(
  input: string | Uint8Array,
  limits: PictureLimits,
  decode: (image: Sharp, found: PictureHeader) => Promise<T>,
): Promise<T> {
  const content = typeof input === 'string' ? await contentOf(input) : input;
  const found = (typeof content === 'string' ? undefined : plainHeader(content)) ?? (await anyHeader(input));
  const pixels = found.width * found.height;
  if (pixels > limits.pixels) throw new TooManyPixels(found.autoOrient, limits.pixels);
  const bytes = BYTES_PER_PIXEL * pixels;
  await enter(bytes, limits.atOnce);
  const start = monotonicMs();
  try {
    const image = sharp(content, { failOn: 'error', limitInputPixels: limits.pixels }).autoOrient();
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

/** Files up to this size are read at once, which is faster than libvips opening them by name. */
const SMALL = 2 ** 24;
/** Bytes from the start of a file that hold the header of most pictures. */
const HEADER = 2 ** 16;

/** Bytes of the file of a picture; its path if it is large. */
async function contentOf(file: string): Promise<string | Uint8Array> {
  const handle = await openToRead(file);
  try {
    return (await handle.stat()).size <= SMALL ? await handle.readFile() : file;
  } catch (error) {
    throw asUserError(error, file, 'read');
  } finally {
    await handle.close();
  }
}

/** Size and channels of a picture; nothing is decoded. */
export async function pictureHeader(input: string | Uint8Array): Promise<PictureHeader> {
  if (typeof input !== 'string') return plainHeader(input) ?? anyHeader(input);
  const handle = await openToRead(input);
  const start = Buffer.alloc(HEADER);
  const read = await readInto(handle, start).finally(() => handle.close());
  return plainHeader(start.subarray(0, read)) ?? anyHeader(input);
}

function anyHeader(input: string | Uint8Array): Promise<PictureHeader> {
  return sharp(input, { limitInputPixels: false }).metadata();
}

/** Number of pictures being decoded, their bytes, and callbacks for the end of one. */
let [active, taken, waiting]: [number, number, (() => void)[]] = [0, 0, []];

async function enter(bytes: number, atOnce: number): Promise<void> {
  // A picture decoded beside others may take half of the memory that they leave; a single picture, all of it.
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

/** True if this memory is free. Small sizes skip the system call, which takes longer than decoding a small picture. */
function isFree(bytes: number): boolean {
  return bytes < 2 ** 26 || bytes <= freeMemory();
}
