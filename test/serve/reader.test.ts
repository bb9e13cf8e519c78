import path from 'node:path';
import sharp from 'sharp';
import { placeOfJob } from '../../src/serve/reading/effort.ts';
import type { ReadingModel } from '../../src/serve/reading/model.ts';
import { Reader } from '../../src/serve/reading/reader.ts';
import { built } from '../support/built.ts';

const numbers = (count: number): Buffer =>
  Buffer.from(JSON.stringify(Array.from({ length: count }, (_, i) => i / 1000)));
const nested = Buffer.from(JSON.stringify(Array.from({ length: 4000 }, () => [1.5])));
const picture = (side: number) => sharp({ create: { width: side, height: side, channels: 3, background: 'red' } });
const [small, large, unsaid] = await Promise.all([
  picture(1024).png().toBuffer(),
  picture(1100).jpeg().toBuffer(),
  picture(16).webp().toBuffer(),
]);

it.each([
  ['numbers, of which 64 KiB take less than a millisecond', { json: numbers(8000) }, 'here'],
  ['more numbers', { json: numbers(16_000) }, 'short'],
  ['arrays in arrays', { json: nested }, 'short'],
  ['millions of numbers', { json: numbers(160_000) }, 'long'],
  ['a text, whatever its size', { text: Buffer.from('a') }, 'short'],
  ['a long text', { text: Buffer.alloc(2 ** 14 + 1) }, 'long'],
  ['a small picture', { file: small }, 'short'],
  ['a picture of more than a million pixels', { file: large }, 'long'],
  ['a picture that does not say its size at once', { file: unsaid }, 'long'],
  ['a few values', { values: 2 ** 14 }, 'here'],
  ['a million values', { values: 2 ** 20 }, 'long'],
  ['a message of gRPC', { typedBytes: 2 ** 14 + 1 }, 'short'],
])('says where to do %s', (_, effort, place) => {
  expect(placeOfJob(effort)).toBe(place);
});

const limits = { letters: undefined, openSize: 10, values: 10, bytes: 10 };
const model = (name: string) =>
  ({ name, limits, options: { maxBatch: 64 }, described: { shape: [2], logits: false } }) as unknown as ReadingModel;
const sent = (text: string) => ({ contentType: 'application/json', body: Buffer.from(text) });
const elsewhere = { text: Buffer.alloc(1) };

it('replaces a process that ends, does again what waited behind, and gives each the model of its own', async () => {
  const lines: string[] = [];
  const log = { write: (_: string, line: string) => lines.push(line), close: () => Promise.resolve() };
  const reader = new Reader(path.join(built(), 'dist/serve/reading/process.js'), log);
  const read = (text: string, of = model('a')) => reader.run('inputs', of, sent(text), elsewhere);
  expect((await read('[1,2]')).raw).toEqual(Float32Array.of(1, 2));
  await expect(read('[1]')).rejects.toThrow('expected data of 2 values');
  const [pid] = reader.pids;
  const all = Array.from({ length: 40 }, (_, i) => read(`[${i},2]`, model(`model ${i % 3}`)));
  process.kill(pid!, 'SIGKILL');
  const outcomes = await Promise.allSettled(all);
  const failed = outcomes.filter(({ status }) => status === 'rejected');
  // The one that it was at, if it was at any.
  expect(failed.length).toBeLessThanOrEqual(1);
  for (const one of failed)
    expect(String((one as PromiseRejectedResult).reason)).toMatch(/takes too much memory to read/);
  outcomes.forEach((one, i) => {
    if (one.status === 'fulfilled') expect(one.value.raw).toEqual(Float32Array.of(i, 2));
  });
  expect(reader.pids).not.toContain(pid);
  expect(lines).toEqual(['a process that reads bodies ended (SIGKILL) and is replaced']);
  await reader.close();
});

it('does not begin what nobody waits for', async () => {
  const reader = new Reader(path.join(built(), 'dist/serve/reading/process.js'), {
    ...{ write: () => undefined, close: () => Promise.resolve() },
  });
  const client = { aborted: true };
  const body = sent('[1,2]');
  await expect(reader.run('inputs', model('a'), body, { ...elsewhere, client })).rejects.toThrow('the client is gone');
  await reader.close();
});
