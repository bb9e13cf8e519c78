import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Reader } from '../../src/serve/reading/reader.ts';
import type { Given } from '../../src/serve/reading/jobs.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const model = { name: 'm' } as Given<'numbers'>['model'];

/** Reads JSON by a reader whose thread finds nothing but a word. */
async function read(kind: 'numbers' | 'samples', given: unknown, shape: readonly number[]): Promise<unknown> {
  const entry = path.join(folder(), 'thread.cjs');
  await writeFile(
    entry,
    `const { parentPort } = require('node:worker_threads');
     parentPort.on('message', () => parentPort.postMessage({ found: 'by the thread' }));`,
  );
  const reader = new Reader(entry);
  const body = Buffer.from(JSON.stringify(given));
  const described = { shape } as Given<'numbers'>['described'];
  const found = await reader.read(kind, { contentType: 'application/json', body, model, described }, body.length);
  await reader.close();
  return found;
}

const numbers = Array.from({ length: 8000 }, (_, i) => i / 1000);

it('reads numbers at once, of which 64 KiB take less than a millisecond', async () => {
  expect(await read('numbers', numbers, [8000])).toHaveLength(8000);
});

it.each([
  ['more numbers', 'numbers', [...numbers, ...numbers], [16_000]],
  ['numbers that a tokenizer may read', 'samples', numbers, [8000]],
  ['a text of more than 1 KiB, of which byte pairs take long', 'samples', 'a'.repeat(1023), [8]],
  ['arrays in arrays', 'numbers', Array.from({ length: 4000 }, () => [1.5]), [4000, 1]],
] as const)('hands the thread %s', async (_, kind, given, shape) => {
  expect(await read(kind, given, shape)).toBe('by the thread');
});
