import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { readImageFolder } from '../../../src/data/readers/image-folder.ts';
import { blocksOf } from '../../../src/data/storage/sample-storage.ts';
import { Room } from '../../../src/data/storage/memory-budget.ts';
import { temporaryFolder } from '../../support/folder.ts';

const COUNT = 510;
const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);
const NOTE = expect.stringContaining('decoded by an earlier run') as string;

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
const cached = () => readdir(at('cache', 'pictures'));

it('a second run finds the pictures that the first decoded', async () => {
  const first = await read();
  expect(first.notes).toEqual([]);
  const again = await read();
  expect(again).toEqual({ ...first, notes: [NOTE] });
  expect(await cached()).toHaveLength(1);
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
  const file = at('cache', 'pictures', name!);
  await writeFile(file, damaged(await readFile(file)));
  expect(await read()).toEqual(first);
  expect((await read()).notes).toEqual([NOTE]);
});

it('there is none where the user wants none, for few pictures, and for pictures that are needed as files', async () => {
  process.env['LIMBECK_CACHE'] = 'off';
  await read();
  process.env['LIMBECK_CACHE'] = at('cache');
  await readImageFolder(pictures, { keepOriginals: true });
  await expect(cached()).rejects.toThrow('ENOENT');
});

it('a cache that cannot be written to is no error', async () => {
  await writeFile(at('file'), '');
  process.env['LIMBECK_CACHE'] = at('file');
  expect((await read()).notes).toEqual([]);
  expect((await read()).notes).toEqual([]);
});
