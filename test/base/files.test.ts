import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, Server } from 'node:net';
import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import {
  asUserError,
  exists,
  firstMissing,
  makeFolder,
  openToRead,
  readBytes,
  readText,
  readUtf8,
  requireFile,
  writeFileAtomic,
} from '../../src/base/files.ts';
import { temporaryFolder } from '../support/folder.ts';
import { makePipe } from '../support/pipe.ts';

let folder: string;
const made = temporaryFolder();
beforeEach(() => {
  folder = made();
});

async function listening(place: string): Promise<Server> {
  const server = createServer().listen(place);
  await once(server, 'listening');
  return server;
}

describe('writeFileAtomic', () => {
  it('makes the folders it needs and leaves no temporary file', async () => {
    const file = path.join(folder, 'a', 'b.txt');
    await writeFileAtomic(file, 'hello');
    expect(await readFile(file, 'utf8')).toBe('hello');
    expect(await readdir(path.dirname(file))).toEqual(['b.txt']);
  });

  it('replaces a file whole', async () => {
    const file = path.join(folder, 'b.txt');
    await writeFileAtomic(file, 'a longer text');
    await writeFileAtomic(file, 'short');
    expect(await readFile(file, 'utf8')).toBe('short');
  });

  it('says what is in the way, and leaves nothing behind', async () => {
    const obstacle = path.join(folder, 'file');
    await writeFile(obstacle, '');
    const write = writeFileAtomic(path.join(obstacle, 'b.txt'), 'x');
    await expect(write).rejects.toThrow(UserError);
    await expect(write).rejects.toThrow(/file.b\.txt: cannot write it/);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('keeps the old file when the new one cannot be put in place', async () => {
    const file = path.join(folder, 'taken');
    await writeFileAtomic(path.join(file, 'inside'), 'old');
    await expect(writeFileAtomic(file, 'new')).rejects.toThrow();
    expect(await readFile(path.join(file, 'inside'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['taken']);
  });
});

describe('readText', () => {
  it('names a missing file and a remedy', async () => {
    const error: unknown = await readText(path.join(folder, 'nothing.yaml')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain('nothing.yaml: cannot read it: no such file or folder');
    expect((error as UserError).hint).toContain('relative paths');
  });

  it.each([
    ['a pipe', makePipe, /it is a pipe$/, /write what comes out/],
    ['a link to a device without an end', (file: string) => symlink('/dev/zero', file), /it is a device$/, /a file/],
    ['a socket', (file: string) => listening(file), /it is a socket$/, /a file/],
    ['a folder', (file: string) => mkdir(file), /it is a folder$/, /a file/],
  ])('waits for nothing where there is %s in place of a file', async (_, make, fact, remedy) => {
    const file = path.join(folder, 'other');
    const made = await make(file);
    for (const read of [readText, openToRead, requireFile]) {
      const error: unknown = await read(file).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(fact);
      expect((error as UserError).message).toContain(file);
      expect((error as UserError).hint).toMatch(remedy);
    }
    if (made instanceof Server) made.close();
  });

  it('reads no text that is longer than what reads it can bear', async () => {
    const file = path.join(folder, 'report.json');
    await writeFile(file, '');
    await truncate(file, 2 ** 27 + 1);
    for (const read of [readText, readUtf8])
      await expect(read(file)).rejects.toThrow(/received 134217729 bytes of text, expected at most 134217728/);
  });

  it('reads JSON whose brackets nest 500 deep and no deeper, texts apart', async () => {
    const file = path.join(folder, 'deep.json');
    const nested = (depth: number): string =>
      `${'{"[[":['.repeat(depth / 2)}"]\\"[${'['.repeat(600)}"${']}'.repeat(depth / 2)}`;
    await writeFile(file, nested(500));
    expect(JSON.parse(await readText(file))).toHaveProperty(['[[']);
    await writeFile(file, nested(502));
    await expect(readText(file)).rejects.toThrow(/deep\.json: not usable JSON: nested more than 500 deep/);
  });

  it('says that a file has more bytes than can be read at once', async () => {
    const file = path.join(folder, 'large');
    await writeFile(file, '');
    await truncate(file, 2 ** 31 + 1);
    const error: unknown = await readBytes(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(/large: cannot read it: it has more than 2 GiB/);
  });

  it.each([
    ['EDQUOT', /quota/],
    ['EFBIG', /ulimit -f/],
    ['EIO', /at fault/],
    ['ESTALE', /run the same command again/],
    ['ENAMETOOLONG', /shorter/],
  ])('%s of a system is no bug of ours, and has a remedy', (code, remedy) => {
    const error = asUserError(Object.assign(new Error(), { code }), 'model.onnx', 'write');
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      message: `model.onnx: cannot write it: ${code}`,
      hint: expect.stringMatching(remedy) as string,
    });
  });

  it('names a folder given for a file', async () => {
    await expect(readText(folder)).rejects.toThrow(/it is a folder/);
  });
});

it('exists tells files from nothing', async () => {
  expect(await exists(folder)).toBe(true);
  expect(await exists(path.join(folder, 'no'))).toBe(false);
});

describe('makeFolder', () => {
  it('makes all that is missing, and is content with what is there', async () => {
    const inner = path.join(folder, 'a/b/c');
    expect(await firstMissing(inner)).toBe(path.join(folder, 'a'));
    await makeFolder(inner);
    await makeFolder(inner);
    expect(await readdir(path.join(folder, 'a/b'))).toEqual(['c']);
    expect(await firstMissing(inner)).toBeUndefined();
    await writeFile(path.join(inner, 'file'), '');
    await expect(makeFolder(path.join(inner, 'file'))).rejects.toThrow(/EEXIST/);
    await expect(makeFolder(path.join(inner, 'file/d'))).rejects.toThrow(/ENOTDIR/);
  });

  (process.platform === 'linux' ? it : it.skip)('comes back from a file system that takes no folders', async () => {
    await expect(makeFolder('/proc/limbeck/run')).rejects.toThrow(/ENOENT/);
  });
});
