import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isLeft, writeWhole } from '../../src/base/whole-folder.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const at = (...names: string[]): string => path.join(folder(), ...names);
const FILES = new Map([['README.md', 'read'], ['models/a.onnx', 'bytes']]); // prettier-ignore

/** The same files; `stop` is called when one of them is written. */
function stoppedIn(stop: () => void): ReadonlyMap<string, string> {
  return Object.assign(new Map(FILES), {
    *[Symbol.iterator]() {
      yield* [...FILES].slice(0, 1);
      stop();
    },
  });
}

it('a new folder has all of its files, and nothing is left beside it', async () => {
  await writeWhole(at('kit'), FILES);
  expect((await readdir(at('kit'))).sort()).toEqual(['README.md', 'models']);
  expect(await readdir(folder())).toEqual(['kit']);
});

it.each([false, true])(
  'one that is interrupted has no file, and nothing is left beside it; there: %s',
  async (isThere) => {
    if (isThere) await mkdir(at('kit'));
    const before = process.listeners('exit');
    let inside: string[] = [];
    const files = stoppedIn(() => {
      inside = readdirSync(isThere ? at('kit') : folder());
      const [atExit] = process.listeners('exit').filter((one) => !before.includes(one));
      atExit!(0);
      expect(readdirSync(isThere ? at('kit') : folder())).toEqual([]);
      throw new Error('stopped');
    });
    await expect(writeWhole(at('kit'), files)).rejects.toThrow('stopped');
    expect(inside.map(isLeft)).toEqual([true]);
  },
);

it('files that are there are replaced or left alone', async () => {
  await mkdir(at('kit/models'), { recursive: true });
  await writeFile(at('kit/README.md'), 'mine');
  await writeFile(at('kit/models/mine.onnx'), 'mine');
  await writeWhole(at('kit'), FILES);
  expect(await readFile(at('kit/README.md'), 'utf8')).toBe('read');
  expect((await readdir(at('kit/models'))).sort()).toEqual(['a.onnx', 'mine.onnx']);
});

it.each([false, true])('nothing is left of what cannot be written; there: %s', async (isThere) => {
  if (isThere) await mkdir(at('kit'));
  const files = new Map([...FILES, ['README.md/inside', 'of a file']]);
  await expect(writeWhole(at('kit'), files)).rejects.toThrow(/kit\/README\.md\/inside: cannot write it/);
  expect(await readdir(folder())).toEqual(isThere ? ['kit'] : []);
  if (isThere) expect(await readdir(at('kit'))).toEqual([]);
});
