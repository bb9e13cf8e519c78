import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf, sha256 } from '../../src/base/bytes.ts';
import type { RunEvent } from '../../src/base/events.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { RecipeInput } from '../../src/recipe/schema.ts';
import type { Report } from '../../src/report/types.ts';
import { runRecipe } from '../../src/run/run.ts';
import { trainShard } from '../../src/run/shards/shard.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { exportsOf } from '../support/exports.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const distill = { loss: 'mutual', epochs: 3, batchSize: 100, optimizer: { learningRate: 0.02 } } as const;

const recipe = (change: Partial<RecipeInput> = {}) =>
  makeRecipe(
    {
      name: 'r',
      dataset: { ...DIGITS, limit: 300 },
      student: { model: 'mlp', hidden: [16] },
      distill,
      ...QUICK,
      ...change,
    },
    folder(),
  );

/** All that the newest state of a stage has, but for its times. */
async function stateOf(out: string, stage: string): Promise<Record<string, string>> {
  const of = path.join(out, 'r/state');
  const newest = (await readdir(of)).filter((file) => file.startsWith(`${stage}-0`)).sort().at(-1)!; // prettier-ignore
  const { tensors } = readSafetensors(await readFile(path.join(of, newest)), newest);
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, sha256(bytesOf(data))]));
}

async function stoppedAgainAndAgain(change: Partial<RecipeInput>, out: string): Promise<number> {
  for (let starts = 1; ; starts++) {
    const abort = new AbortController();
    let seen = 0;
    const onEvent = ({ type }: RunEvent): void => {
      if ((type === 'progress' || type === 'epoch') && ++seen === 3) abort.abort();
    };
    const run = runRecipe(recipe(change), { out, onEvent, signal: abort.signal, saveEvery: 0 });
    const isDone = await run.then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ name: 'InterruptedError' });
        return false;
      },
    );
    if (isDone) return starts;
  }
}

const noteOn = ({ notes }: Report): string => notes.find((note) => note.startsWith('the peer of the student')) ?? '';

/** Batch norms in the one, dropout in the other; both are averaged, and see mixed pictures that were moved. */
const ALL: Partial<RecipeInput> = {
  dataset: { ...(DIGITS as object), limit: 300, augment: [{ shift: 1 }, { mixup: 0.4 }] } as RecipeInput['dataset'],
  student: { model: 'ds-cnn', width: 0.25 },
  distill: { ...distill, ema: 0.9, peer: { model: 'mlp', hidden: [12], dropout: 0.2 } },
};

it.each([
  ['whole batches', {}],
  ['parts of batches', { microBatch: 40 }],
])('%s: a run that is stopped again and again ends with the bytes of one that is not', async (_, more) => {
  const change = { ...ALL, distill: { ...ALL.distill, ...more } as RecipeInput['distill'] };
  const [alone, stopped] = [path.join(folder(), 'alone'), path.join(folder(), 'stopped')];
  const { report } = await runRecipe(recipe(change), { out: alone });
  expect(await stoppedAgainAndAgain(change, stopped)).toBeGreaterThan(2);
  expect(await exportsOf(stopped)).toEqual(await exportsOf(alone));
  const state = await stateOf(alone, 'distill');
  expect(await stateOf(stopped, 'distill')).toEqual(state);
  // Weights, slots, dropout and statistics of both, as they are and as they were at the epoch that was chosen.
  expect(Object.keys(state)).toEqual(
    expect.arrayContaining(['state/peer/dense1/kernel', 'state/adam.m/peer/dense1/kernel', 'best/peer/dense1/kernel']),
  );
  expect(report.models.map(({ id }) => id)).toEqual(['scratch', 'distilled']);
  expect(report.models[0]!.params).toBe(report.models[1]!.params);
  expect(report.verdict?.result).toBe('INCONCLUSIVE');
  expect(noteOn(report)).toMatch(
    /^the peer of the student \(mlp, 910 parameters\) is right on \d+\.\d+ % of the validation split with the weights/,
  );
});

it('the twin is the student of a recipe without a peer, and takes as many steps', async () => {
  const { report } = await runRecipe(recipe(), { out: path.join(folder(), 'pair') });
  await runRecipe(recipe({ distill: { ...distill, loss: 'kd' } }), { out: path.join(folder(), 'twin') });
  const [own, its] = [await stateOf(path.join(folder(), 'pair'), 'scratch'), await stateOf(path.join(folder(), 'twin'), 'scratch')]; // prettier-ignore
  expect(own).toEqual(its);
  expect(report.training?.map(({ stage, epochs }) => [stage, epochs.length])).toEqual([
    ['scratch', 3],
    ['distill', 3],
  ]);
  expect(noteOn(report)).toMatch(/ \(the same network from other weights, 1,210 parameters\) is /);
});

it('the student is pruned and trained for int8 by the labels alone, which the report says', async () => {
  const { report } = await runRecipe(
    recipe({
      prune: [{ amount: 0.3, importance: 'taylor', finetune: { epochs: 1 }, maxDrop: 100 }],
      quantize: [{ method: 'qat', qat: { epochs: 1 }, maxDrop: 100 }],
    }),
    { out: folder() },
  );
  expect(report.models.map(({ id }) => id)).toEqual(['scratch', 'distilled', 'pruned-1', 'pruned-1-int8-qat']);
  expect(report.notes).toContain(
    'pruning and training with quantization learn from the labels alone, without the peer',
  );
});

it('repeats have peers of their own, and a shard that trains one gives the run what it would have trained', async () => {
  const twice = { repeats: 2, baseline: false };
  const { report } = await runRecipe(recipe(twice), { out: path.join(folder(), 'alone') });
  expect(noteOn(report)).toMatch(/ of the validation split, mean of 2 repeats, with the weights/);
  const [one, two] = [await stateOf(path.join(folder(), 'alone'), 'distill'), await stateOf(path.join(folder(), 'alone'), 'distill-2')]; // prettier-ignore
  expect(one['state/peer/logits/kernel']).not.toBe(two['state/peer/logits/kernel']);
  const out = path.join(folder(), 'shared');
  await trainShard(recipe(twice), { index: 1, count: 2 }, { out });
  await runRecipe(recipe(twice), { out });
  expect(await exportsOf(out)).toEqual(await exportsOf(path.join(folder(), 'alone')));
});

it('a peer that would be the student itself is refused', async () => {
  const text = `export default ({ tf, inputShape, classes }) => tf.sequential({ layers: [
    tf.layers.flatten({ inputShape }), tf.layers.dense({ units: classes, kernelInitializer: 'ones' })] });`;
  await writeFile(path.join(folder(), 'same.mjs'), text);
  const student = { module: 'same.mjs' };
  await expect(runRecipe(recipe({ student }), { out: folder() })).rejects.toThrow(
    /^distill\.peer: expected other initial weights than the student's, received the same/,
  );
  const other = { ...distill, epochs: 1, peer: { model: 'mlp', hidden: [4] } };
  await expect(runRecipe(recipe({ student, distill: other }), { out: folder() })).resolves.toBeDefined();
});
