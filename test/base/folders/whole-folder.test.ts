import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { thisProcess } from '../../../src/base/process/owner.ts';
import { finishWhole, isLeft, writeWhole, writeWholeFile } from '../../../src/base/folders/whole-folder.ts';
import { temporaryFolder } from '../../support/folder.ts';

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

/** A folder whose files are half moved: the place of the second one is taken after it was looked at. */
async function halfMoved(): Promise<void> {
  await mkdir(at('kit/models'), { recursive: true });
  await writeFile(at('kit/README.md'), 'of before');
  const files = Object.assign(new Map(FILES), {
    *keys() {
      yield* FILES.keys();
      mkdirSync(at('kit/models/a.onnx'));
    },
  });
  await expect(writeWhole(at('kit'), files)).rejects.toThrow(/kit\/models\/a\.onnx: cannot write it: it is a folder$/);
  expect(await readFile(at('kit/README.md'), 'utf8')).toBe('read');
  await rmdir(at('kit/models/a.onnx'));
}

it.each(['the next call', 'whoever looks at it'])('files that are half moved are moved by %s', async (who) => {
  const before = process.listeners('exit');
  await halfMoved();
  // Nothing removes them where the process ends now.
  expect(process.listeners('exit')).toEqual(before);
  expect((await readdir(at('kit'))).filter(isLeft)).toHaveLength(1);
  if (who === 'the next call') await writeWhole(at('kit'), new Map([['further.txt', 'more']]));
  else await finishWhole(at('kit'));
  expect(await readFile(at('kit/models/a.onnx'), 'utf8')).toBe('bytes');
  expect((await readdir(at('kit'))).filter(isLeft)).toEqual([]);
});

it.each([
  ['later', 60, 'mine'],
  ['earlier', -60, 'bytes'],
])('a file that was written %s than those half moved is kept or replaced', async (_, seconds, expected) => {
  await halfMoved();
  await writeFile(at('kit/models/a.onnx'), 'mine');
  const time = Date.now() / 1000 + seconds;
  await utimes(at('kit/models/a.onnx'), time, time);
  await finishWhole(at('kit'));
  expect(await readFile(at('kit/models/a.onnx'), 'utf8')).toBe(expected);
  expect((await readdir(at('kit'))).filter(isLeft)).toEqual([]);
});

it('no file is moved where one of them cannot be', async () => {
  await mkdir(at('kit/models/a.onnx'), { recursive: true });
  await writeFile(at('kit/README.md'), 'of before');
  await expect(writeWhole(at('kit'), FILES)).rejects.toThrow(/a\.onnx: cannot write it: it is a folder$/);
  expect(await readFile(at('kit/README.md'), 'utf8')).toBe('of before');
  expect((await readdir(at('kit'))).sort()).toEqual(['README.md', 'models']);
});

(process.platform === 'linux' ? it : it.skip)(
  'no file is moved where one would go to another file system',
  async () => {
    await mkdir(at('kit'));
    await symlink('/proc', at('kit/models'));
    await expect(writeWhole(at('kit'), FILES)).rejects.toThrow(/a\.onnx: cannot write it: EXDEV$/);
    expect(await readdir(at('kit'))).toEqual(['models']);
  },
);

it('files that somebody has prepared go nowhere else by a link', async () => {
  await mkdir(at('kit/.limbeck-files-evil/ready/out'), { recursive: true });
  await writeFile(at('kit/.limbeck-files-evil/ready/out/keys'), 'evil');
  await mkdir(at('home'));
  await symlink('../home', at('kit/out'));
  const evil = /kit\/out\/keys: it leads out of .*kit, and .*\.limbeck-files-evil is to be moved there$/;
  await expect(writeWholeFile(at('kit/a.onnx'), 'bytes')).rejects.toThrow(evil);
  expect(await readdir(at('home'))).toEqual([]);
});

it('a link in place of a file is replaced, and what it leads to stays', async () => {
  await writeFile(at('mine.txt'), 'mine');
  await symlink('mine.txt', at('a.onnx'));
  await writeWholeFile(at('a.onnx'), 'bytes');
  expect([await readFile(at('mine.txt'), 'utf8'), await readFile(at('a.onnx'), 'utf8')]).toEqual(['mine', 'bytes']);
});

describe('a file in a folder of others', () => {
  it('is written with what belongs to it, and what a killed process left there goes', async () => {
    const left = at('out/.limbeck-files-killed');
    await mkdir(path.join(left, 'files'), { recursive: true });
    await writeFile(path.join(left, 'files/a.onnx'), 'half');
    const killed = { ...(await thisProcess()), pid: spawnSync('true').pid };
    await writeFile(path.join(left, 'owner.json'), JSON.stringify(killed));
    await writeFile(at('out/mine.txt'), 'mine');
    await writeWholeFile(at('out/a.onnx'), 'bytes', new Map([['a.usual.json', '{}']]));
    expect((await readdir(at('out'))).sort()).toEqual(['a.onnx', 'a.usual.json', 'mine.txt']);
    expect(await readFile(at('out/a.onnx'), 'utf8')).toBe('bytes');
  });

  it('several processes can write the first ones of a new folder', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => writeWholeFile(at('new/out', name), name)));
    expect((await readdir(at('new/out'))).sort()).toEqual(names);
  });

  it.each([
    ['out', /out: cannot write it: it is a folder$/],
    ['model/', /model\/: cannot write it: it is a folder$/],
    ['mine.txt/a.onnx', /mine\.txt\/a\.onnx: cannot write it: EEXIST$/],
  ])('is named where it cannot be written: %s', async (name, message) => {
    await mkdir(at('out'));
    await writeFile(at('mine.txt'), 'mine');
    await expect(writeWholeFile(`${folder()}/${name}`, 'bytes')).rejects.toThrow(message);
    expect((await readdir(folder())).sort()).toEqual(['mine.txt', 'out']);
  });
});

describe('in a folder that somebody else has filled', () => {
  it('a link in place of a file is replaced, and what it leads to stays as it is', async () => {
    await mkdir(at('kit/models'), { recursive: true });
    await writeFile(at('mine'), 'mine');
    await symlink('../../mine', at('kit/models/a.onnx'));
    await symlink('mine', at('link.onnx'));
    await writeWhole(at('kit'), FILES);
    await writeWholeFile(at('link.onnx'), 'new');
    expect(await readFile(at('mine'), 'utf8')).toBe('mine');
    expect([await readFile(at('kit/models/a.onnx'), 'utf8'), await readFile(at('link.onnx'), 'utf8')]).toEqual(['bytes', 'new']); // prettier-ignore
  });

  it('a link to a folder is not finished as if it had been begun here', async () => {
    await mkdir(at('other/ready'), { recursive: true });
    await writeFile(at('other/ready/mine'), 'mine');
    await mkdir(at('kit'));
    await symlink('../other', at('kit/.limbeck-files-x'));
    await finishWhole(at('kit'));
    expect(await readdir(at('other/ready'))).toEqual(['mine']);
  });
});
