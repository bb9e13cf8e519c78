import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { firstLine, UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { CACHE_VARIABLE, cacheFolder } from '../../base/process/environment.ts';
import type { ImageOptions } from '../config.ts';
import type { EncodedImage, Originals } from '../dataset.ts';
import { growingBytes } from '../storage/growing-array.ts';
import { blocksOf } from '../storage/sample-storage.ts';
import type { HeldSamples } from '../storage/sample-storage.ts';
import { keepPictures, keyOfPictures, picturesOf } from './cache.ts';
import type { CachedPictures } from './cache.ts';
import type { PictureHeader } from './header.ts';
import { letterboxedPixels } from './letterboxed-pixels.ts';
import { OF_FILES, TooManyPixels, withPicture } from './picture.ts';
import { rawPixels, scaledPixels } from './pixels.ts';
import type { Pixels } from './pixels.ts';
import { bytesOfAll, otherPixels, requireSameCount } from '../storage/shared-reading.ts';
import type { ReadingProcesses } from '../storage/shared-reading.ts';
import { Room } from '../storage/memory-budget.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { Scratch } from '../storage/temporary-file.ts';

/** Number of images decoded at a time, which are in memory besides the result. */
const AT_ONCE = 8;

/** Pixels allowed for a file of any size, and for each byte of a PNG (one bit per pixel, deflated). */
const [FEW_PIXELS, PIXELS_PER_BYTE] = [2 ** 24, 8 * 1032];

/** Options of readers of pictures. */
export interface PicturesGiven extends RoomGiven {
  /** Processes that share the decoding. Default: this process alone. */
  readonly readers?: ReadingProcesses | undefined;
}

/**
 * Decodes PNG, JPEG and WebP (and GIF, TIFF and AVIF under such a name) into one uint8 array [count, height, width, channels]. The first image sets
 * size and channels unless the options do. Memory: the result, plus eight decoded images of each process; a result too large for memory goes into a
 * temporary file.
 */
export class ImageSink {
  shape: [number, number, number] | undefined;
  readonly #options: ImageOptions;
  readonly #expected: number;
  readonly #room: Room;
  readonly #readers: ReadingProcesses | undefined;
  #first = '';
  #samples = growingBytes();
  /** The same, complete. */
  #decoded: HeldSamples | undefined;
  #scratch: Scratch | undefined;
  /** Pixels of an earlier run. */
  #cached: CachedPictures | undefined;
  readonly #kept: EncodedImage[] = [];
  readonly #hash = createHash('sha256');

  constructor(options: ImageOptions, expected: number, { room = new Room(), readers }: PicturesGiven = {}) {
    this.#options = options;
    this.#expected = expected;
    this.#room = room;
    this.#readers = readers;
  }

  async add(given: readonly EncodedImage[]): Promise<void> {
    if (this.#readers !== undefined && given.length > 0) requireSameCount(this.#readers, given.length, given[0]!.where);
    const key = await this.#keyOf(given);
    this.#cached = key === undefined ? undefined : await picturesOf(key, given.length);
    if (this.#cached !== undefined) {
      this.shape = this.#cached.shape;
      return;
    }
    await this.#addAll(given);
    // A file that was written to while it was decoded is looked at anew.
    if (key !== undefined && key === (await this.#keyOf(given)))
      await keepPictures(key, { shape: this.shape!, held: this.#decodedSamples() });
  }

  /** Key of all pictures in the cache. Undefined for pictures that are in no files of their own or needed as files, and for several processes. */
  async #keyOf(given: readonly EncodedImage[]): Promise<string | undefined> {
    if (cacheFolder() === undefined || this.#readers !== undefined || this.#options.keepOriginals === true)
      return undefined;
    const files = given.flatMap(({ input }) => (typeof input === 'string' ? [input] : []));
    return files.length < this.#expected ? undefined : keyOfPictures(files, this.#options);
  }

  async #addAll(given: readonly EncodedImage[]): Promise<void> {
    if (this.#options.keepOriginals !== true) {
      await this.#add(given);
      return;
    }
    this.#kept.push(...given);
    for (let from = 0; from < given.length; from += this.#atOnce) {
      const read = await Promise.all(given.slice(from, from + this.#atOnce).map(inMemory));
      for (const { input } of read) this.#hash.update(input);
      await this.#add(read);
    }
  }

  async #add(images: readonly EncodedImage[]): Promise<void> {
    let from = 0;
    if (this.shape === undefined && images.length > 0) {
      this.#start(images[0]!, await this.#decode(images[0]!));
      from = 1;
    }
    for (; from < images.length; from += this.#atOnce) {
      const group = images.slice(from, from + this.#atOnce);
      const decoded = await this.#decodeAll(group);
      decoded.forEach((pixels, i) => this.#store(group[i]!, pixels));
    }
  }

  /** Number of images that all processes decode at a time. */
  get #atOnce(): number {
    return AT_ONCE * (this.#readers?.size ?? 1);
  }

  /** Pixels of a group of images; of several processes each decodes eight. */
  async #decodeAll(group: readonly EncodedImage[]): Promise<Pixels[]> {
    const readers = this.#readers;
    if (readers === undefined) return Promise.all(group.map((image) => this.#decode(image)));
    const [height, width, channels] = this.shape!;
    const bytes = height * width * channels;
    const first = readers.rank * AT_ONCE;
    // Each process also decodes the first image of the next process: other files or another decoder would go unnoticed otherwise.
    const next = (readers.rank + 1) % readers.size;
    const checked = group[next * AT_ONCE];
    const block = [...group.slice(first, first + AT_ONCE), ...(checked === undefined ? [] : [checked])];
    const decoded = await Promise.all(block.map((image) => this.#decode(image)));
    decoded.forEach((pixels, i) => this.#requireShape(block[i]!, pixels));
    const ownPixels = new Uint8Array(AT_ONCE * bytes);
    decoded
      .slice(0, group.slice(first, first + AT_ONCE).length)
      .forEach(({ data }, i) => ownPixels.set(data, i * bytes));
    const all = bytesOfAll(readers, ownPixels);
    const ofPicture = (i: number): Uint8Array => all.subarray(i * bytes, (i + 1) * bytes);
    if (checked !== undefined && Buffer.compare(ofPicture(next * AT_ONCE), decoded.at(-1)!.data) !== 0)
      throw otherPixels(checked.where, readers, next);
    return group.map((_, i) => ({ data: ofPicture(i), height, width, channels }));
  }

  /** Returns the pixels, with a note for the log if they are in a file. Called once. */
  held(source: string): HeldSamples & { readonly notes: readonly string[] } {
    if (this.#cached !== undefined) return this.#heldInCache(source, this.#cached.held);
    const held = this.#decodedSamples();
    if (this.#scratch === undefined) return { ...held, notes: [] };
    const bytes = held.stored!.rows.length * held.stored!.rowSize;
    return { ...held, notes: [this.#room.note(source, bytes, 'they are decoded into a temporary file')] };
  }

  #heldInCache(source: string, held: HeldSamples): HeldSamples & { readonly notes: readonly string[] } {
    const { rows, rowSize } = held.stored!;
    const note = `${source}: its pictures were decoded by an earlier run; with ${CACHE_VARIABLE}=off in the environment they are decoded anew`;
    if (!this.#room.take(rows.length * rowSize)) return { ...held, notes: [note] };
    const samples = growingBytes(rows.length * rowSize);
    for (const block of blocksOf(held)) samples.extend(block.length).set(block, samples.length - block.length);
    return { samples: samples.view(), notes: [note] };
  }

  #decodedSamples(): HeldSamples {
    return (this.#decoded ??= this.#scratch === undefined ? { samples: this.#samples.view() } : this.#scratch.finish());
  }

  /** See `Dataset`. Called once. */
  originals(): Originals | 'not kept' {
    return this.#options.keepOriginals === true ? { images: this.#kept, hash: this.#hash.digest('hex') } : 'not kept';
  }

  #start(image: EncodedImage, pixels: Pixels): void {
    const { height, width, channels } = pixels;
    const bytes = height * width * channels * this.#expected;
    this.shape = [height, width, channels];
    this.#first = image.where;
    if (this.#room.take(bytes)) this.#samples = growingBytes(bytes);
    else
      this.#scratch = new Scratch(
        `${image.where}: ${this.#expected} images of ${height}x${width}x${channels}`,
        { type: 'uint8', rowSize: height * width * channels },
        bytes,
        'Set `resize: [height, width]` to the size that the model sees. ',
      );
    this.#store(image, pixels);
  }

  #store(image: EncodedImage, pixels: Pixels): void {
    this.#requireShape(image, pixels);
    const { data } = pixels;
    if (this.#scratch !== undefined) {
      this.#scratch.write(data);
      return;
    }
    const at = this.#samples.length;
    this.#samples.extend(data.length).set(data, at);
  }

  #requireShape({ where }: EncodedImage, { height, width, channels }: Pixels): void {
    const [h, w, c] = this.shape!;
    if (height !== h || width !== w) throw this.#otherSize(where, height, width);
    if (channels !== c) {
      throw new UserError(
        `${where}: the image is in colour, but ${this.#first} is grey`,
        'Set `channels: 3` to read all as colour, or `channels: 1` to read all as grey.',
      );
    }
  }

  #otherSize(where: string, height: number, width: number): UserError {
    const [h, w] = this.shape!;
    return new UserError(
      `${where}: the image is ${height}x${width} (height x width), but ${this.#first} is ${h}x${w}`,
      'Set `resize: [height, width]` in the recipe to scale all images to one size.',
    );
  }

  /** Maximum pixels to decode: a damaged file may claim any number, and a GIF is whole in memory even if it is scaled. */
  async #mostPixels(input: EncodedImage['input']): Promise<number> {
    if (this.#options.resize === undefined && this.shape !== undefined) return this.shape[0] * this.shape[1];
    return Math.min(OF_FILES.pixels, Math.max(FEW_PIXELS, PIXELS_PER_BYTE * (await sizeOf(input))));
  }

  async #claimed({ where, input }: EncodedImage, { height, width }: TooManyPixels, most: number): Promise<UserError> {
    if (this.shape !== undefined && this.#options.resize === undefined) return this.#otherSize(where, height, width);
    return new UserError(
      `${where}: the header of the image says ${height}x${width} (height x width), expected at most ${most} pixels in a file of ${await sizeOf(input)} bytes`,
      'Get the file again, make the image smaller, or remove it.',
    );
  }

  async #decode(encoded: EncodedImage): Promise<Pixels> {
    const { where, input } = encoded;
    const { resize, fit } = this.#options;
    const pixels = await this.#mostPixels(input);
    try {
      return await withPicture(input, { ...OF_FILES, pixels }, (image, found) => {
        const channels = this.#options.channels ?? this.shape?.[2] ?? greyOrColour(found);
        // If the first images are grey, a later colour image must not be converted to grey unnoticed.
        const grey = channels === 1 && (this.#options.channels === 1 || greyOrColour(found) === 1);
        const read = grey ? 1 : 3;
        if (resize === undefined) return rawPixels(image, found, read);
        return (fit === 'letterbox' ? letterboxedPixels : scaledPixels)(image, found, resize, read);
      });
    } catch (error) {
      if (error instanceof UserError) throw error;
      if (error instanceof TooManyPixels) throw await this.#claimed(encoded, error, pixels);
      throw new UserError(
        `${where}: cannot decode the image: ${firstLine(error)} (received ${await sizeOf(input)} bytes)`,
        'Get the file again or remove it; PNG, JPEG and WebP are read.',
        { cause: error },
      );
    }
  }
}

async function inMemory({ where, input }: EncodedImage): Promise<{ where: string; input: Uint8Array }> {
  return { where, input: typeof input === 'string' ? await readBytes(input) : input };
}

function greyOrColour({ channels }: PictureHeader): 1 | 3 {
  return (channels ?? 3) <= 2 ? 1 : 3;
}

async function sizeOf(input: EncodedImage['input']): Promise<number> {
  return typeof input === 'string' ? (await stat(input)).size : input.length;
}
