import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { firstLine, UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { CACHE_VARIABLE, cacheFolder } from '../../base/process/environment.ts';
import { machineName } from '../../base/process/owner.ts';
import type { ImageOptions } from '../config.ts';
import type { EncodedImage, Originals } from '../dataset.ts';
import { growingBytes } from '../storage/growing-array.ts';
import { blocksOf, heldIn } from '../storage/sample-storage.ts';
import type { HeldSamples, StoredSamples } from '../storage/sample-storage.ts';
import { keepPictures, keyOfPictures, picturesOf } from './cache.ts';
import type { CachedPictures, PictureSource } from './cache.ts';
import type { PictureHeader } from './header.ts';
import { letterboxedPixels } from './letterboxed-pixels.ts';
import { OF_FILES, pictureHeader, TooManyPixels, withPicture } from './picture.ts';
import { rawPixels, scaledPixels } from './pixels.ts';
import type { Pixels } from './decoded.ts';
import { bytesOfAll, otherPixels, requireSameCount, textsOfAll } from '../storage/shared-reading.ts';
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
  /** About as many pictures of each split are decoded; of the others the headers are read. Default: all are decoded. */
  readonly sample?: number | undefined;
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
  #source: PictureSource | undefined;
  /** Key of the pictures in the cache. */
  #key: string | undefined;
  /** Machine of each process. */
  #machines: readonly string[] = [];
  /** Every how many pictures are decoded. */
  readonly #step: number;
  #added = 0;
  readonly #kept: EncodedImage[] = [];
  readonly #hash = createHash('sha256');
  #digest: string | undefined;

  constructor(options: ImageOptions, expected: number, { room = new Room(), readers, sample }: PicturesGiven = {}) {
    this.#options = options;
    this.#expected = expected;
    this.#room = room;
    this.#readers = readers;
    this.#step = Math.max(1, Math.floor(expected / (sample ?? expected)));
  }

  /** Reads pictures that have files of their own. */
  async addFiles(files: readonly string[]): Promise<void> {
    const given = files.map((file) => ({ where: file, input: file }));
    if (await this.begin(files)) this.#keep(given);
    else {
      await this.add(given);
      await this.finish();
    }
  }

  /**
   * Looks for the pictures in the cache; true if they are there, and none is to be added. `files`: all files that hold them; `within`: their place in
   * these, if they have no files of their own.
   */
  async begin(files: readonly string[], within?: string): Promise<boolean> {
    this.#source = { files, within, count: this.#expected };
    const key = (this.#key = await this.#keyOf());
    const found = key === undefined ? undefined : await picturesOf(key, this.#expected);
    const isUsable = this.#options.keepOriginals !== true || found?.originals !== undefined;
    const hash = await this.#agreed(isUsable ? found?.sha256 : undefined);
    if (hash === undefined) return false;
    this.#cached = found;
    this.shape = found!.shape;
    return true;
  }

  /** The hash of what this process found in its cache; undefined if one of several processes found nothing, or something else. */
  async #agreed(own: string | undefined): Promise<string | undefined> {
    if (this.#readers === undefined) return own;
    const all = textsOfAll(this.#readers, own ?? '');
    this.#machines = textsOfAll(this.#readers, await machineName());
    return all[0] !== '' && all.every((one) => one === all[0]) ? own : undefined;
  }

  /** Key of all pictures in the cache. Undefined without a cache, and for pictures in other files that are needed with their bytes. */
  async #keyOf(): Promise<string | undefined> {
    const isBytes = this.#options.keepOriginals === true && this.#source!.within !== undefined;
    return cacheFolder() === undefined || isBytes ? undefined : keyOfPictures(this.#source!, this.#options);
  }

  /**
   * Keeps the pictures for later runs, after all were added. Of several processes one of each machine writes the file, and all read from it what is
   * not in memory.
   */
  async finish(): Promise<void> {
    const [key, readers] = [this.#key, this.#readers];
    const isWriter = readers === undefined || this.#machines.indexOf(this.#machines[readers.rank]!) === readers.rank;
    // Pictures whose files were written to while they were decoded are looked at anew.
    const isSame = key !== undefined && this.#step === 1 && key === (await this.#keyOf());
    if (isSame && isWriter)
      await keepPictures(key, { shape: this.shape!, held: this.#decodedSamples(), originals: this.#hashOfOriginals() });
    await readers?.meet();
    const kept = isSame && this.#scratch !== undefined ? await picturesOf(key, this.#expected) : undefined;
    // The temporary file is given up for the same pixels in the cache.
    if (kept !== undefined) [this.#decoded, this.#scratch] = [kept.held, undefined];
  }

  /** Keeps pictures as files. */
  #keep(given: readonly EncodedImage[]): void {
    // One by one: a call takes no hundred thousand arguments.
    for (const one of given) this.#kept.push(one);
  }

  /** Adds pictures; in all, as many as expected. */
  async add(given: readonly EncodedImage[]): Promise<void> {
    if (this.#readers !== undefined && given.length > 0) requireSameCount(this.#readers, given.length, given[0]!.where);
    const { keepOriginals } = this.#options;
    if (keepOriginals === true) this.#keep(given);
    for (let from = 0; from < given.length; from += this.#atOnce) {
      const group = given.slice(from, from + this.#atOnce);
      const isDecoded = (i: number): boolean => (this.#added + i) % this.#step === 0;
      const chosen = group.filter((_, i) => isDecoded(i));
      const read = keepOriginals === true ? await Promise.all(chosen.map(inMemory)) : chosen;
      if (keepOriginals === true) for (const { input } of read) this.#hash.update(input as Uint8Array);
      await this.#add(read);
      await Promise.all(group.filter((_, i) => !isDecoded(i)).map((image) => this.#look(image)));
      this.#added += group.length;
    }
  }

  /** Checks the header of a picture that is not decoded. */
  async #look(encoded: EncodedImage): Promise<void> {
    const most = await this.#mostPixels(encoded.input);
    const found = await pictureHeader(encoded.input).catch(async (error: unknown) => {
      throw await undecodable(encoded, error);
    });
    const { height, width } = found.autoOrient;
    if (height * width > most) throw await this.#claimed(encoded, found.autoOrient, most);
    const [h, w, c] = this.shape!;
    const isScaled = this.#options.resize !== undefined;
    const channels = this.#options.channels ?? (c === 1 ? greyOrColour(found) : c);
    this.#requireShape(encoded, isScaled ? { height: h, width: w, channels } : { height, width, channels });
  }

  async #add(images: readonly EncodedImage[]): Promise<void> {
    const isFirst = this.shape === undefined && images.length > 0;
    if (isFirst) this.#start(images[0]!, await this.#decode(images[0]!));
    const group = isFirst ? images.slice(1) : images;
    const decoded = await this.#decodeAll(group);
    decoded.forEach((pixels, i) => this.#store(group[i]!, pixels));
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
    if (held.stored === undefined) return { ...held, notes: [] };
    if (this.#step > 1) return { ...this.#repeated(held.stored), notes: [] };
    const bytes = held.stored.rows.length * held.stored.rowSize;
    const where = this.#scratch === undefined ? 'the cache' : 'a temporary file';
    return { ...held, notes: [this.#room.note(source, bytes, `they are decoded into ${where}`)] };
  }

  /** A row for each picture. A picture that is not decoded has the pixels of the last decoded picture before it. */
  #repeated(stored: StoredSamples): HeldSamples {
    const rows = Int32Array.from({ length: this.#expected }, (_, i) => Math.floor(i / this.#step));
    return heldIn({ ...stored, rows, every: this.#step });
  }

  #heldInCache(source: string, held: HeldSamples): HeldSamples & { readonly notes: readonly string[] } {
    const { rows, rowSize } = held.stored!;
    const note = `${source}: its pictures were decoded before, and are read from the cache; with ${CACHE_VARIABLE}=off in the environment they are decoded anew`;
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
    const hash = this.#cached === undefined ? this.#hashOfOriginals() : this.#cached.originals;
    return hash === undefined ? 'not kept' : { images: this.#kept, hash };
  }

  /** Hash of the bytes of all files; undefined if they are not kept. */
  #hashOfOriginals(): string | undefined {
    return this.#options.keepOriginals === true ? (this.#digest ??= this.#hash.digest('hex')) : undefined;
  }

  #start(image: EncodedImage, pixels: Pixels): void {
    const { height, width, channels } = pixels;
    const count = Math.ceil(this.#expected / this.#step);
    const bytes = height * width * channels * count;
    this.shape = [height, width, channels];
    this.#first = image.where;
    if (this.#step === 1 && this.#room.take(bytes)) this.#samples = growingBytes(bytes);
    else
      this.#scratch = new Scratch(
        `${image.where}: ${count} images of ${height}x${width}x${channels}`,
        { type: 'uint8', rowSize: height * width * channels },
        bytes,
        { remedy: 'Set `resize: [height, width]` to the size that the model sees. ', isSample: this.#step > 1 },
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

  #requireShape({ where }: EncodedImage, { height, width, channels }: Omit<Pixels, 'data'>): void {
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

  async #claimed(
    { where, input }: EncodedImage,
    { height, width }: Pick<TooManyPixels, 'height' | 'width'>,
    most: number,
  ): Promise<UserError> {
    if (this.shape !== undefined && this.#options.resize === undefined) return this.#otherSize(where, height, width);
    return new UserError(
      `${where}: the header of the image says ${height}x${width} (height x width), expected at most ${most} pixels in a file of ${await sizeOf(input)} bytes`,
      'Get the file again, make the image smaller, or remove it.',
    );
  }

  async #decode(encoded: EncodedImage): Promise<Pixels> {
    const { input } = encoded;
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
      if (error instanceof TooManyPixels) throw await this.#claimed(encoded, error, pixels);
      throw await undecodable(encoded, error);
    }
  }
}

async function undecodable({ where, input }: EncodedImage, error: unknown): Promise<unknown> {
  if (error instanceof UserError) return error;
  return new UserError(
    `${where}: cannot decode the image: ${firstLine(error)} (received ${await sizeOf(input)} bytes)`,
    'Get the file again or remove it; PNG, JPEG and WebP are read.',
    { cause: error },
  );
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
