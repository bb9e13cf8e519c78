import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { ImageSink } from '../../../src/data/pictures/images.ts';
import { readImageFolder } from '../../../src/data/readers/image-folder.ts';
import { readParquet } from '../../../src/data/formats/parquet/parquet.ts';
import { blocksOf } from '../../../src/data/storage/sample-storage.ts';
import type { ReadingProcesses } from '../../../src/data/storage/shared-reading.ts';
import { Room } from '../../../src/data/storage/memory-budget.ts';
import { played } from '../../support/played.ts';
import { temporaryFolder } from '../../support/folder.ts';

const COUNT = 510;
const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);
/** Folder of the cache, of this user alone. */
const PICTURES = `pictures-${process.geteuid?.()}`;
const NOTE = expect.stringContaining('decoded before') as string;

const encoded: Buffer[] = [];
/** A PNG of 4×4 pixels; numbers that differ by 256 give the same. */
const picture = async (value: number): Promise<Buffer> =>
  (encoded[value % 256] ??= await sharp(
    Uint8Array.from({ length: 48 }, (_, i) => (value + i) % 256),
    { raw: { width: 4, height: 4, channels: 3 } },
  ).png({ compressionLevel: 0 }).toBuffer()); // prettier-ignore

/** Made once for all tests. */
let pictures = '';
const inPictures = (i: number): string => path.join(pictures, i % 2 === 0 ? 'a' : 'b', `${i}.png`);

beforeAll(async () => {
  pictures = await mkdtemp(path.join(tmpdir(), 'limbeck-pictures-'));
  for (const name of ['a', 'b']) await mkdir(path.join(pictures, name));
  for (let i = 0; i < COUNT; i++) await writeFile(inPictures(i), await picture(i));
});
afterAll(() => rm(pictures, { recursive: true }));

const before = process.env['LIMBECK_CACHE'];
beforeEach(() => {
  process.env['LIMBECK_CACHE'] = at('cache');
});
afterEach(() => {
  process.env['LIMBECK_CACHE'] = before;
});

const read = async (options = {}, given = {}) => {
  const split = await readImageFolder(pictures, options, given);
  const values = [...blocksOf(split)].map((block) => Buffer.from(block).toString('hex')).join('');
  return { shape: split.sampleShape, values, notes: split.notes, stored: split.stored };
};
const cached = () => readdir(at('cache', PICTURES));

it('a second run finds the pictures that the first decoded', async () => {
  const first = await read();
  expect(first.notes).toEqual([]);
  const again = await read();
  expect(again).toEqual({ ...first, notes: [NOTE] });
  expect(await cached()).toHaveLength(1);
});

it('no other user can see them, and those that another user put there are not taken', async () => {
  const first = await read();
  const modes = await Promise.all(['', ...(await cached())].map(async (name) => (await stat(at('cache', PICTURES, name))).mode)); // prettier-ignore
  expect(modes.map((mode) => mode & 0o777)).toEqual([0o700, 0o600]);
  // Whoever may write to the folder could have written its files.
  await chmod(at('cache', PICTURES), 0o770);
  expect(await read()).toEqual(first);
  await chmod(at('cache', PICTURES), 0o700);
  expect(await read()).toEqual({ ...first, notes: [NOTE] });
  await rename(at('cache', PICTURES), at('elsewhere'));
  await symlink(at('elsewhere'), at('cache', PICTURES));
  expect(await read()).toEqual(first);
});

it('pictures too large for memory are read from the file of the cache', async () => {
  const first = await read();
  const again = await read({}, { room: new Room(1000) });
  expect(again.stored).toBeDefined();
  expect(again).toEqual({ ...first, notes: [NOTE], stored: again.stored });
});

it('pictures decoded into a temporary file are kept too', async () => {
  const first = await read({}, { room: new Room(1000) });
  expect(first.stored).toBeDefined();
  expect(await read()).toMatchObject({ values: first.values, notes: [NOTE] });
});

it('another preparation, and a changed file of the same size and time, are decoded', async () => {
  const file = inPictures(0);
  // A whole second, which can be set again without a rest.
  await utimes(file, 1e9, 1e9);
  const first = await read();
  expect(await read({ channels: 1 })).toMatchObject({ shape: [4, 4, 1], notes: [] });
  expect(await read({ resize: [2, 2] })).toMatchObject({ shape: [2, 2, 3], notes: [] });
  const { size, mtimeMs } = await stat(file);
  await writeFile(file, await picture(99));
  await utimes(file, 1e9, 1e9);
  expect(await stat(file)).toMatchObject({ size, mtimeMs });
  const changed = await read();
  expect(changed.notes).toEqual([]);
  expect(changed.values.slice(0, 96)).toBe(Buffer.from(Uint8Array.from({ length: 48 }, (_, i) => 99 + i)).toString('hex'));
  expect(changed.values.slice(96)).toBe(first.values.slice(96));
}); // prettier-ignore

it.each([
  ['a changed pixel', (bytes: Buffer) => bytes.fill(bytes.at(-1)! ^ 1, bytes.length - 1)],
  ['a missing end', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['another header', (bytes: Buffer) => bytes.fill('{', 0, 10)],
  ['nothing', () => Buffer.alloc(0)],
])('a damaged file of the cache, with %s, is not used', async (_, damaged) => {
  const first = await read();
  const [name] = await cached();
  const file = at('cache', PICTURES, name!);
  await writeFile(file, damaged(await readFile(file)));
  expect(await read()).toEqual(first);
  expect((await read()).notes).toEqual([NOTE]);
});

it('there is none where the user wants none, and for few pictures', async () => {
  process.env['LIMBECK_CACHE'] = 'off';
  await read();
  process.env['LIMBECK_CACHE'] = at('cache');
  const few = new ImageSink({}, 2);
  await few.addFiles([inPictures(0), inPictures(1)]);
  await expect(cached()).rejects.toThrow('ENOENT');
});

it('pictures that are also needed as files are found with the hash of all their bytes', async () => {
  const first = await readImageFolder(pictures, { keepOriginals: true });
  const again = await readImageFolder(pictures, { keepOriginals: true });
  expect(again.notes).toEqual([NOTE]);
  expect(again.originals).toEqual(first.originals);
  expect(again.samples).toEqual(first.samples);
  expect((await read()).notes).toEqual([NOTE]);
});

it('pictures kept without that hash are decoded anew where it is needed', async () => {
  await read();
  expect((await readImageFolder(pictures, { keepOriginals: true })).notes).toEqual([]);
  expect((await readImageFolder(pictures, { keepOriginals: true })).notes).toEqual([NOTE]);
});

describe('processes that read together', () => {
  const readBy = async (readers: ReadingProcesses, room: Room) => {
    const split = await readImageFolder(pictures, {}, { readers, room });
    const values = [...blocksOf(split)].map((block) => Buffer.from(block).toString('hex')).join('');
    return { values, isStored: split.stored !== undefined, notes: split.notes };
  };

  it.each([
    ['memory', 1e6, false],
    ['the file of the cache', 1000, true],
  ])('all find what an earlier run decoded, in %s', async (_, bytes, isStored) => {
    const { values } = await read();
    const found = await played(3, (readers) => readBy(readers, new Room(bytes)));
    expect(found).toEqual([0, 1, 2].map(() => ({ values, isStored, notes: [NOTE] })));
  });

  it('keep once what they have decoded', async () => {
    const { values } = await read();
    const kept: number[] = [];
    // Calls are repeated to play processes, so each has a cache of its own, empty at the start of each call.
    const found = await played(3, async (readers) => {
      process.env['LIMBECK_CACHE'] = at(`of-${readers.rank}`);
      await rm(at(`of-${readers.rank}`), { recursive: true, force: true });
      const { values } = await readBy(readers, new Room());
      kept[readers.rank] = (await readdir(at(`of-${readers.rank}`, PICTURES)).catch(() => [])).length;
      return values;
    });
    expect(found).toEqual([values, values, values]);
    expect(kept).toEqual([1, 0, 0]);
  });
});

it('a process without a cache makes those beside it decode', async () => {
  await read();
  const found = await played(2, async (readers) => {
    if (readers.rank === 1) process.env['LIMBECK_CACHE'] = 'off';
    const sink = new ImageSink({}, COUNT, { readers });
    const files = Array.from({ length: COUNT }, (_, i) => inPictures(i));
    const isFound = sink.begin(files);
    process.env['LIMBECK_CACHE'] = at('cache');
    return isFound;
  });
  expect(found).toEqual([false, false]);
});

it('pictures in a Parquet file are kept too, and their labels read', async () => {
  const file = path.join(import.meta.dirname, '../fixtures/images.parquet');
  const files = Array.from({ length: 120 }, () => file);
  const first = await readParquet(files, { resize: [4, 4] });
  const again = await readParquet(files, { resize: [4, 4] });
  expect([first.notes, again.notes]).toEqual([[], [NOTE]]);
  expect({ ...again, notes: [] }).toEqual(first);
  expect((await readParquet(files, { resize: [4, 4], image: 'image', channels: 1 })).notes).toEqual([]);
});

it('processes that keep the same pictures at once leave one whole file, and remove what a killed one left', async () => {
  await mkdir(at('cache', PICTURES), { recursive: true, mode: 0o700 });
  const left = at('cache', PICTURES, 'left.tmp');
  await writeFile(left, 'x');
  await utimes(left, 1e9, 1e9);
  await writeFile(at('cache', PICTURES, 'written-now.tmp'), 'x');
  const all = await Promise.all([read(), read(), read()]);
  for (const one of all) expect(one.values).toBe(all[0].values);
  expect(await cached()).toHaveLength(2);
  expect(await cached()).toContain('written-now.tmp');
  expect((await read()).notes).toEqual([NOTE]);
});

describe('a sample', () => {
  it('is decoded of many pictures, and of the others the headers are read', async () => {
    const whole = await read();
    process.env['LIMBECK_CACHE'] = 'off';
    const { values, stored } = await read({}, { sample: 100 });
    expect(stored).toMatchObject({ every: 5 });
    for (let i = 0; i < COUNT; i++) {
      const decoded = i - (i % 5);
      expect(values.slice(96 * i, 96 * (i + 1))).toBe(whole.values.slice(96 * decoded, 96 * (decoded + 1)));
    }
  });

  it('is none where the pictures are in the cache', async () => {
    const whole = await read();
    expect((await read({}, { sample: 100 })).values).toBe(whole.values);
  });

  it.each([
    ['a file that is no picture', Buffer.from('GIF'), /cannot decode the image: .* \(received 3 bytes\)$/],
    ['an empty file', Buffer.alloc(0), /cannot decode the image/],
    ['a picture of another size', () => sharp({ create: { width: 5, height: 4, channels: 3, background: 'red' } }).png().toBuffer(), /the image is 4x5 .* but .* is 4x4$/],
  ])('refuses %s that is not decoded', async (_, content, message) => {
    const copy = at('copy');
    await cp(pictures, copy, { recursive: true });
    await writeFile(path.join(copy, 'a', '4.png'), typeof content === 'function' ? await content() : content);
    const names = (await readdir(path.join(copy, 'a'))).sort();
    expect(names.indexOf('4.png') % 5).not.toBe(0);
    await expect(readImageFolder(copy, {}, { sample: 100 })).rejects.toThrow(message);
  }); // prettier-ignore
});

it('a cache that cannot be written to is no error', async () => {
  await writeFile(at('file'), '');
  process.env['LIMBECK_CACHE'] = at('file');
  expect((await read()).notes).toEqual([]);
  expect((await read()).notes).toEqual([]);
});
