import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

interface Fetching {
  fetchFiles(address: string, folder: string, files: Readonly<Record<string, string>>): Promise<string[]>;
}
const FETCHING = '../../scripts/fetch-files.mjs';

const folder = temporaryFolder();
const to = (...names: readonly string[]): string => path.join(folder(), 'data', ...names);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Contents by address; `cut`: the connection ends in the middle of it. */
const CONTENTS: Readonly<Record<string, string>> = { '/a.csv': 'text\none\n', '/b.csv': 'text\ntwo\n' };
const FILES = { 'a.csv': sha256(CONTENTS['/a.csv']!), 'b.csv': sha256(CONTENTS['/b.csv']!) };

let server: Server;
let address = '';
let asked: string[] = [];
let fetchFiles: Fetching['fetchFiles'];
beforeAll(async () => {
  ({ fetchFiles } = (await import(FETCHING)) as Fetching);
  server = createServer(({ url }, response) => {
    asked.push(url!);
    const content = CONTENTS[url!.replace('/cut', '')];
    if (content === undefined) response.writeHead(404).end('<h1>not here</h1>');
    else if (url!.startsWith('/cut'))
      response.writeHead(200, { 'content-length': content.length + 9 }).write(content, () => response.destroy());
    else response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => (asked = []));

it('writes files that have their checksums, and asks for none that is there', async () => {
  expect(await fetchFiles(address, to(), FILES)).toEqual([to('a.csv'), to('b.csv')]);
  expect(readdirSync(to()).sort()).toEqual(['a.csv', 'b.csv']);
  expect(readFileSync(to('b.csv'), 'utf8')).toBe(CONTENTS['/b.csv']);
  asked = [];
  expect(await fetchFiles(address, to(), FILES)).toEqual([]);
  expect(asked).toEqual([]);
});

it('writes nothing where one of the files is another, is cut short or is not there', async () => {
  const other = { ...FILES, 'b.csv': sha256('else') };
  await expect(fetchFiles(address, to(), other)).rejects.toThrow(
    new RegExp(`b\\.csv: 9 bytes with the checksum ${FILES['b.csv']}, expected ${other['b.csv']}`),
  );
  await expect(fetchFiles(`${address}cut/`, to(), FILES)).rejects.toThrow(/cut\/a\.csv cannot be fetched: /);
  await expect(fetchFiles(address, to(), { 'a.csv': FILES['a.csv'], 'c.csv': '0' })).rejects.toThrow(
    /c\.csv cannot be fetched: the answer is 404\. Fetch it where it can be reached, and put it into .*data/,
  );
  await expect(fetchFiles(address.slice(0, -1), to(), FILES)).rejects.toThrow(/an address that ends in \//);
  expect(existsSync(to())).toBe(false);
});

it('leaves a file alone that somebody changed', async () => {
  mkdirSync(to());
  writeFileSync(to('a.csv'), 'mine');
  await expect(fetchFiles(address, to(), FILES)).rejects.toThrow(/a\.csv has the checksum .*: remove it/);
  expect(readFileSync(to('a.csv'), 'utf8')).toBe('mine');
  expect(readdirSync(to())).toEqual(['a.csv']);
});

it('node scripts/banking77.mjs names the checksums of its README, and says where nobody answers', async () => {
  const script = path.join(ROOT, 'scripts/banking77.mjs');
  const readme = readFileSync(path.join(ROOT, 'datasets/banking77/README.md'), 'utf8');
  const sums = readFileSync(script, 'utf8').match(/(?<=')[0-9a-f]{64}(?=')/g)!;
  expect(sums).toHaveLength(2);
  for (const sum of sums) expect(readme).toContain(sum);
  // A port that was just given up.
  const { port } = await new Promise<AddressInfo>((resolve) => {
    const closed = createServer().listen(0, '127.0.0.1', () => {
      const at = closed.address() as AddressInfo;
      closed.close(() => resolve(at));
    });
  });
  const run = promisify(execFile)(process.execPath, [script, '--from', `http://127.0.0.1:${port}/`, '--to', to()]);
  await expect(run).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^http:.*train\.csv cannot be fetched: .*ECONNREFUSED.*\. Fetch it .*\n$/) as string,
  });
  expect(existsSync(to())).toBe(false);
});
