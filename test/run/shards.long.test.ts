import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { RunEvent } from '../../src/base/events.ts';
import { gridTrials } from '../../src/recipe/grid.ts';
import { labelShard, mergeLabels } from '../../src/run/shards/label.ts';
import { repeatShard } from '../../src/run/shards/repeats.ts';
import { runRecipe } from '../../src/run/run.ts';
import { sweepShard } from '../../src/run/shards/sweep.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { saveTfjs } from '../support/saved-tfjs.ts';
import { TINY, tinyRuns } from '../support/tiny-runs.ts';

const { folder, made } = tinyRuns();

async function answersIn(run: string) {
  const from = path.join(folder(), run, 'soft-targets');
  const [name] = await readdir(from);
  return readSafetensors(await readFile(path.join(from, name!)), name!).tensors.get('logits');
}

describe('labelling in shards', () => {
  it('that are stopped, damaged and shared anew gives the run the answers that it would have asked for', async () => {
    const out = { out: folder() };
    const stop = new AbortController();
    const stopping = {
      signal: stop.signal,
      onEvent: (event: RunEvent) => {
        if (event.type === 'progress' && event.stage === 'answers') stop.abort();
      },
    };
    await expect(labelShard(made(), { index: 1, count: 2 }, { ...out, ...stopping })).rejects.toThrow(
      /stopped answers/,
    );
    const first = await labelShard(made(), { index: 1, count: 2 }, out);
    expect(first.answered).toBe(first.blocks - 2);
    await expect(mergeLabels(made(), out)).rejects.toThrow(/5 of 9 blocks are missing: 0, 2, 4/);
    const [damaged] = await readdir(first.folder);
    await writeFile(path.join(first.folder, damaged!), 'nothing');
    await writeFile(path.join(first.folder, '.000000.safetensors.0123456789ab.tmp'), 'half');
    const rest = [];
    for (const index of [0, 1, 2]) rest.push(await labelShard(made(), { index, count: 3 }, out));
    expect(rest.map(({ answered }) => answered).reduce((sum, n) => sum + n)).toBe(6);
    expect(await mergeLabels(made(), out)).toEqual({ samples: 144, views: 1, folder: path.join(folder(), 'r') });
    expect((await readdir(first.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);

    const titles: (string | undefined)[] = [];
    const onEvent = (event: { type: string; title?: string }): void => void titles.push(event.title);
    await runRecipe(made(), { ...out, onEvent });
    await runRecipe(made({ name: 'alone' }), { ...out, onEvent });
    expect(titles.filter((title) => title?.startsWith('asking the teacher')).length).toBe(1);
    expect(await answersIn('r')).toEqual(await answersIn('alone'));
  });

  it('asks about the samples that the run asks about, where classes are left out', async () => {
    const towards = [0, 1, 2].map((k) => [Math.cos((2 * Math.PI * k) / 3), Math.sin((2 * Math.PI * k) / 3)] as const);
    const rows = Array.from({ length: 150 }, (_, i) => {
      const [a, b] = [Math.sin(i * 12.9898), Math.cos(i * 78.233)];
      const scores = towards.map(([x, y]) => a * x + b * y);
      return `${a.toFixed(4)},${b.toFixed(4)},${'pqr'[scores.indexOf(Math.max(...scores))]!}`;
    });
    await writeFile(path.join(folder(), 'three.csv'), `a,b,label\n${rows.join('\n')}\n`);
    const model = sequential();
    model.add(layers.dense({ units: 3, inputShape: [2], name: 'logits' }));
    const kernel = [0, 1].flatMap((axis) => towards.map((one) => 5 * one[axis]!));
    model.setWeights([tensor2d(kernel, [2, 3]), tensor1d([0, 0, 0])]);
    await mkdir(path.join(folder(), 'three'));
    await saveTfjs(model, path.join(folder(), 'three'));
    const recipe = made({
      dataset: { ...TINY.dataset, train: 'three.csv' },
      teacher: { tfjs: 'three/model.json' },
      distill: { ...TINY.distill, leaveOut: { classes: ['r'], correctBias: false } },
    });
    await labelShard(recipe, { index: 0, count: 1 }, { out: folder() });
    const { samples } = await mergeLabels(recipe, { out: folder() });
    expect(samples).toBeLessThan(0.8 * 108);
    const asked: (string | undefined)[] = [];
    const onEvent = (event: { type: string; title?: string }): void => void asked.push(event.title);
    await runRecipe(recipe, { out: folder(), onEvent });
    expect(asked.filter((title) => title?.startsWith('asking the teacher'))).toEqual([]);
  });

  it.each([
    [{ teacher: undefined }, /expected one that comes as a file, received no teacher/],
    [{ teacher: { train: { model: 'mlp' } } }, /received one that the recipe trains/],
    [{ distill: { softTargets: { store: 'live' } } }, /received live/],
  ])('refuses %j', async (change, message) => {
    await expect(labelShard(made(change), { index: 0, count: 2 }, { out: folder() })).rejects.toThrow(message);
  });
});

it('a sweep in shards does every trial once, goes on, and refuses another sweep in its place', async () => {
  const file = path.join(folder(), 'r.yaml');
  await writeFile(file, JSON.stringify({ ...TINY, distill: { epochs: 1, batchSize: 16 } }));
  const trials = gridTrials(['distill.temperature=1,2', 'student.hidden=[2],[0]']);
  const base = await loadRunnable(file);
  const load = ({ name, set }: { name: string; set: readonly string[] }) =>
    loadRunnable(file, [...set, `name=${name}`]);
  const sweep = (shard: { index: number; count: number }, of = trials) =>
    sweepShard(base, of, load, shard, { out: folder() });
  // What no trial can be is found out before any begins.
  await expect(sweep({ index: 0, count: 2 })).rejects.toThrow(/hidden/);
  expect(await readdir(folder())).not.toContain('r-sweep');

  const good = gridTrials(['distill.temperature=1,2', 'seed=1']);
  await mergeAll(base);
  const first = await sweep({ index: 0, count: 2 }, good);
  expect(first.trials.map(({ report }) => report?.status)).toEqual(['complete', undefined]);
  // Trials of other samples cannot be compared.
  const data = path.join(folder(), 'data.csv');
  const text = await readFile(data, 'utf8');
  await writeFile(data, text.replace('-0', '-1'));
  const { failed } = await sweep({ index: 1, count: 2 }, good);
  expect(failed).toEqual([
    {
      name: good[1]!.name,
      reason: expect.stringMatching(/r-sweep: dataset\.train: \S+data\.csv gives other samples/) as string,
    },
  ]);
  await writeFile(data, text);
  const kept = path.join(folder(), 'r-sweep', good[0]!.name);
  // The answers that were given beforehand, with the seconds that they took, and not others to the same samples.
  const [stored] = await readdir(path.join(folder(), 'r', 'soft-targets'));
  const [given, own] = await Promise.all(
    [path.join(folder(), 'r'), kept].map((run) => readFile(path.join(run, 'soft-targets', stored!))),
  );
  expect(own).toEqual(given);
  const before = await readFile(path.join(kept, 'exports/distilled.onnx'));
  await rm(path.join(kept, 'report.json'));
  const all = await sweep({ index: 0, count: 1 }, good);
  expect(all.trials.map(({ report }) => report?.status)).toEqual(['complete', 'complete']);
  expect(await readFile(path.join(kept, 'exports/distilled.onnx'))).toEqual(before);
  await expect(sweep({ index: 0, count: 1 }, gridTrials(['distill.temperature=1,3', 'seed=1']))).rejects.toThrow(
    /another sweep is there: it has other trials: 2-temperature-2-seed-1.json/,
  );
  // Trials of the same names that change something else, and the same trials of another recipe.
  const renamed = good.map(({ name }) => ({ name, set: ['distill.temperature=9'] }));
  await expect(sweep({ index: 0, count: 1 }, renamed)).rejects.toThrow(/its trials\/.*\.json says something else/);
  await writeFile(file, (await readFile(file, 'utf8')).replace('"epochs":1', '"epochs":2'));
  const changed = await loadRunnable(file);
  expect(changed.written).not.toEqual(base.written);
  await expect(sweepShard(changed, good, load, { index: 0, count: 1 }, { out: folder() })).rejects.toThrow(
    /its sweep\.json says something else/,
  );
});

it('trials of a sweep whose teacher and data are the same train it and ask it once, and end with the bytes of runs alone', async () => {
  const teacher = { train: { model: 'mlp', hidden: [4], epochs: 8, batchSize: 16, optimizer: { learningRate: 0.05 } } };
  const file = path.join(folder(), 'r.yaml');
  await writeFile(file, JSON.stringify({ ...TINY, teacher, distill: { epochs: 1, batchSize: 16 } }));
  const load = ({ name, set }: { name: string; set: readonly string[] }) =>
    loadRunnable(file, [...set, `name=${name}`]);
  const titles: string[] = [];
  const onEvent = (event: { type: string; title?: string; message?: string }): void =>
    void titles.push(event.message ?? event.title ?? '');
  const trials = gridTrials(['distill.temperature=1,2', 'seed=1,2']);
  const options = { out: folder(), onEvent };
  const { failed } = await sweepShard(await loadRunnable(file), trials, load, { index: 0, count: 1 }, options);
  expect(failed).toEqual([]);
  const works = titles.filter((title) => /^(trial|training the teacher|asking the teacher)/.test(title));
  expect(works.map((title) => title.split(' ')[0])).toEqual(
    ['trial', 'training', 'asking', 'trial', 'training', 'asking', 'trial', 'trial'], // prettier-ignore
  );
  for (const trial of trials.slice(2)) {
    await runRecipe(await load(trial), { out: path.join(folder(), 'alone') });
    const [swept, alone] = await Promise.all(
      [path.join(folder(), 'r-sweep'), path.join(folder(), 'alone')].map((runs) =>
        readFile(path.join(runs, trial.name, 'exports/distilled.onnx')),
      ),
    );
    expect(swept).toEqual(alone);
  }
});

/** The trials then use the answers of the recipe itself. */
async function mergeAll(base: Awaited<ReturnType<typeof loadRunnable>>): Promise<void> {
  await labelShard(base, { index: 0, count: 1 }, { out: folder() });
  await mergeLabels(base, { out: folder() });
}

describe('repeats in shards', () => {
  const out = () => ({ out: folder() });
  const shard = (index: number, change: object = {}) =>
    repeatShard(made({ repeats: 3, baseline: true, ...change }), { index, count: 2 }, out());

  it('train each once; the run goes on with them, and comes to what it comes to alone', async () => {
    expect((await shard(0)).repeats).toEqual([1, 3]);
    const kept = path.join(folder(), 'r-repeats/3/ledger.json');
    const before = await readFile(kept);
    await shard(0);
    expect(await readFile(kept)).toEqual(before);
    const said: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'message') said.push(event.message);
    };
    const recipe = { repeats: 3, baseline: true };
    const { report } = await runRecipe(made(recipe), { ...out(), onEvent });
    expect(said.filter((text) => text.includes('by a shard'))).toEqual([
      'repeat 1 was trained by a shard',
      'repeat 3 was trained by a shard',
    ]);
    const alone = (await runRecipe(made(recipe), { out: path.join(folder(), 'alone') })).report;
    for (const file of ['distilled.onnx', 'distilled-2.onnx', 'distilled-3.onnx', 'scratch-3.onnx'])
      expect(await readFile(path.join(folder(), 'r/exports', file))).toEqual(
        await readFile(path.join(folder(), 'alone/r/exports', file)),
      );
    expect(report.verdict).toEqual(alone.verdict);
  });

  it('of another recipe or other data are refused', async () => {
    await shard(1, { distill: { epochs: 1, batchSize: 16, softTargets: { batchSize: 16 } } });
    await expect(runRecipe(made({ repeats: 3, baseline: true }), out())).rejects.toThrow(
      /r-repeats.2.repeat\.json: trained by another recipe/,
    );
  });

  it('by a teacher whose file has changed since are refused', async () => {
    await shard(1);
    // As many weights as before, and a surer teacher.
    await writeFile(
      path.join(folder(), 'teacher/weights.bin'),
      new Uint8Array(Float32Array.of(-4, 4, -4, 4, 0, 0).buffer),
    );
    await expect(runRecipe(made({ repeats: 3, baseline: true }), out())).rejects.toThrow(
      /r-repeats.2.repeat\.json: trained by another recipe, student, teacher, data/,
    );
  });

  it.each([
    [{ repeats: 1 }, /received repeats: 1/],
    [{ repeats: 1, student: undefined, baseline: undefined }, /received no student/],
  ])('refuses %j', async (change, message) => {
    await expect(shard(0, change)).rejects.toThrow(message);
  });
});
