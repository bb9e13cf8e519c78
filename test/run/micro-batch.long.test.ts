import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../src/base/events.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { exportsOf } from '../support/exports.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Dropout, a moving average and a teacher that is trained too: 250 samples in batches of 100, 100 and 50. */
const recipe = (microBatch: number | undefined) =>
  makeRecipe(
    {
      name: 'r',
      dataset: { ...DIGITS, limit: 300 },
      teacher: { train: { model: 'mlp', hidden: [8], epochs: 2, batchSize: 100, microBatch } },
      student: { model: 'mlp', hidden: [16], dropout: 0.2 },
      baseline: false,
      distill: { epochs: 4, batchSize: 100, ema: 0.9, microBatch },
      ...QUICK,
    },
    folder(),
  );

it('a run in parts that is stopped again and again ends with the bytes of one that is not', async () => {
  const [alone, stopped] = [path.join(folder(), 'alone'), path.join(folder(), 'stopped')];
  const { report } = await runRecipe(recipe(40), { out: alone });
  expect(report.notes).toContain(
    'distill: a batch of 100 is cut into 3 parts of at most 34 samples, whose gradients are added up',
  );
  let starts = 0;
  for (let isDone = false; !isDone; starts++) {
    const abort = new AbortController();
    let steps = 0;
    const onEvent = ({ type }: RunEvent): void => {
      if ((type === 'progress' || type === 'epoch') && ++steps === 4) abort.abort();
    };
    const run = runRecipe(recipe(40), { out: stopped, onEvent, signal: abort.signal, saveEvery: 0 });
    isDone = await run.then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ name: 'InterruptedError' });
        return false;
      },
    );
  }
  expect(starts).toBeGreaterThan(1);
  expect(await exportsOf(stopped)).toEqual(await exportsOf(alone));
});

const { availableMemory } = process;
afterEach(() => {
  process.availableMemory = availableMemory;
});

it('a batch that does not fit is cut, log and report say so, and a resume keeps the cut', async () => {
  const out = path.join(folder(), 'short');
  const large = makeRecipe(
    {
      name: 'r',
      dataset: { ...DIGITS, limit: 1200 },
      student: { model: 'ds-cnn', width: 2 },
      distill: { epochs: 2, batchSize: 1000 },
      ...QUICK,
    },
    folder(),
  );
  process.availableMemory = () => 125e6;
  const warnings: string[] = [];
  const abort = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'warning') warnings.push(event.message);
    if (event.type === 'epoch') abort.abort();
  };
  const first = runRecipe(large, { out, onEvent, signal: abort.signal, saveEvery: 0 });
  await expect(first).rejects.toThrow(/^stopped scratch/);
  const said = warnings.find((message) => message.includes('microBatch'))!;
  expect(said).toMatch(
    /^scratch: steps of 1000 samples take about \d+ MB of memory, and 125 MB are free: a batch of 1000 is cut into \d+ parts of at most \d+ samples, whose gradients are added up, and batch norms normalize each part by itself; that takes about \d+ MB; set microBatch: \d+ in the recipe to keep this$/,
  );
  process.availableMemory = () => 64e9;
  const { report } = await runRecipe(large, { out });
  expect(report.notes).toContain(said.slice(0, said.indexOf('; set microBatch')));
  const states = path.join(out, 'r/state');
  const newest = (await readdir(states))
    .filter((name) => name.startsWith('scratch-'))
    .sort()
    .at(-1)!;
  const { metadata } = readSafetensors(await readFile(path.join(states, newest)), newest);
  expect(JSON.parse(metadata['progress']!)).toMatchObject({
    cut: { samples: Number(/microBatch: (\d+)/.exec(said)![1]) },
  });
});
