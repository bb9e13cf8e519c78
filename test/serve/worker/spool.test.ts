import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { spooled } from '../../../src/serve/worker/spool.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
it('gives the bytes of a model back each time, and leaves no file', async () => {
  const read = await spooled(bytes.slice(), folder());
  expect(await readdir(folder())).toEqual([]);
  for (let i = 0; i < 2; i++) expect(Buffer.compare(await read(), bytes)).toBe(0);
});

it('holds them where they cannot be written', async () => {
  const file = path.join(folder(), 'file');
  await writeFile(file, '');
  expect(Buffer.compare(await (await spooled(bytes, file))(), bytes)).toBe(0);
});
