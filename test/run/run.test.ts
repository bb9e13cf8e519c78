import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError, UserError } from '../../src/base/errors.ts';
import { eventText } from '../../src/watch/events.ts';
import type { RunEvent } from '../../src/base/events.ts';
import type { LoadedRecipe } from '../../src/recipe/load.ts';
import { runRecipe } from '../../src/run/run.ts';
import { trainShard } from '../../src/run/shards/shard.ts';
import { sweepShard } from '../../src/run/shards/sweep.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import type { Report } from '../../src/report/types.ts';
import { DIGITS, SHORT_RUN } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const SHARD = { index: 0, count: 1 };
const DENSE = [{ student: 'dense1', teacher: 'dense1' }];

const folder = temporaryFolder();

function follow(change: object, options: Parameters<typeof runRecipe>[1] = {}) {
  const events: RunEvent[] = [];
  const recipe = makeRecipe({ ...SHORT_RUN, ...change }, folder());
  const result = runRecipe(recipe, { out: folder(), onEvent: (event) => void events.push(event), ...options });
  return result.then((done) => ({ ...done, events }));
}

/** The models in the report of a run that stopped. */
async function soFar(run: string) {
  const { models } = JSON.parse(await readFile(path.join(folder(), run, 'report.json'), 'utf8')) as Report;
  return models.map(({ id, params, sizeBytes, file, score }) => [id, params, sizeBytes, file, score.validation]);
}

describe('a run', () => {
  it('with repeats says in the verdict how sure it is, and exports each student', async () => {
    const { report } = await follow({ repeats: 3 });
    expect(report.verdict).toMatchObject({ repeats: 3, interval: [expect.any(Number), expect.any(Number)] });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'scratch', 'distilled']);
    expect((await readdir(path.join(folder(), 'r/exports'))).sort()).toEqual(
      ['distilled-2', 'distilled-3', 'distilled', 'scratch-2', 'scratch-3', 'scratch'].map((name) => `${name}.onnx`),
    );
    expect(new Set(report.verdict!.gains).size).toBeGreaterThan(1);
    expect(report.verdict).not.toHaveProperty('pair');
    const [teacher, scratch, distilled] = report.models;
    expect(teacher).not.toHaveProperty('repeats');
    expect(distilled!.repeats!.scores[0]).toBe(distilled!.score.test);
    expect(distilled!.repeats!.mean - scratch!.repeats!.mean).toBeCloseTo(report.verdict!.gain, 12);
  });

  it('ends with the same bits every time', async () => {
    const files = ['teacher.onnx', 'exports/scratch.onnx', 'exports/distilled.onnx'];
    const bytes = async (name: string) => {
      await follow({ name });
      return Promise.all(files.map((file) => readFile(path.join(folder(), name, file), 'base64')));
    };
    // The name of the recipe stands in the files.
    const first = await bytes('same');
    await cp(path.join(folder(), 'same'), path.join(folder(), 'aside'), { recursive: true });
    await follow({ name: 'same' }, { existing: 'fresh' });
    expect(await bytes('same')).toEqual(first);
  });

  it.each([
    ['its data are refused', { dataset: { ...DIGITS, train: 'gone.csv' } }, /gone\.csv/],
    ['its student cannot be built', { student: { module: 'empty.mjs' } }, /empty\.mjs/],
  ])('gives way to a fresh one only when that has begun: not if %s', async (_name, change, message) => {
    const alone = { teacher: undefined, distill: { ...SHORT_RUN.distill, epochs: 1 } };
    await writeFile(path.join(folder(), 'empty.mjs'), '');
    await follow(alone);
    const names = async () => (await readdir(path.join(folder(), 'r'), { recursive: true })).sort();
    const before = await names();
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => void events.push(event);
    await expect(follow({ ...alone, ...change }, { existing: 'fresh', onEvent })).rejects.toThrow(message);
    expect(events.at(-1)).toMatchObject({ message: expect.stringContaining('holds the previous run again') as string });
    expect(await names()).toEqual(before);
    const { report, resumed } = await follow(alone).then(({ report, events: [first] }) => ({
      report,
      resumed: first === undefined,
    }));
    expect([report.status, resumed]).toEqual(['complete', true]);
    await follow({ ...alone, seed: 9 }, { existing: 'fresh' });
    expect(await names()).toEqual(before);
  });

  it.each<[string, object, (given: LoadedRecipe, out: string) => Promise<unknown>]>([
    ['a run', {}, (given, out) => runRecipe(given, { out })],
    ['a search', { target: { p95Ms: 10 } }, (given, out) => runRecipe(given, { out })],
    ['a shard of a race', { distill: { loss: 'auto' } }, (given, out) => trainShard(given, SHARD, { out })],
    ['a shard of repeats', { repeats: 2 }, (given, out) => trainShard(given, SHARD, { out })],
    ['a shard of a search', { target: { p95Ms: 10 } }, (given, out) => trainShard(given, SHARD, { out })],
    [
      'a sweep',
      {},
      (given, out) => sweepShard(given, [{ name: 'a', set: [] }], () => Promise.resolve(given), SHARD, { out }),
    ],
  ])('leaves nothing behind where a file that the recipe names is not there: %s', async (_kind, change, start) => {
    const given = makeRecipe({ ...SHORT_RUN, teacher: { onnx: 'gone.onnx' }, ...change }, folder());
    const work = start(given, path.join(folder(), 'checkpoints'));
    await expect(work).rejects.toThrow(/gone\.onnx: cannot read it: no such file/);
    expect(await readdir(folder())).toEqual([]);
  });

  it('refuses a time between saved states that never comes', async () => {
    await expect(follow({}, { saveEvery: NaN })).rejects.toThrow('saveEvery: expected a number of seconds');
    expect(await readdir(folder())).toEqual([]);
  });

  it('without a teacher trains the student alone', async () => {
    const { report, events } = await follow({ teacher: undefined });
    expect(report.models.map(({ id }) => id)).toEqual(['scratch']);
    expect(report).not.toHaveProperty('verdict');
    expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(2);
  });

  it('without a student trains the teacher alone, and writes it where a later recipe finds it', async () => {
    const { report } = await follow({ student: undefined });
    expect(report.models.map(({ id, file }) => [id, file])).toEqual([['teacher', 'teacher.onnx']]);
    const teacher = { onnx: path.join(folder(), 'r/teacher.onnx') };
    const { report: next, events } = await follow({ name: 'next', teacher });
    expect(next.models[0]).toMatchObject({ id: 'teacher', score: report.models[0]!.score, params: 2410 });
    expect(events.map(eventText)).toContainEqual(
      expect.stringMatching(/^teacher teacher\.onnx: right on \d+\.\d+ % of 144/),
    );
  });

  it('without a baseline leaves the verdict out', async () => {
    const { report } = await follow({ baseline: false });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
    expect(report).not.toHaveProperty('verdict');
  });

  it.each([
    [
      'function matching: what the student sees is what the teacher is asked about, and nothing else teaches',
      {
        dataset: { ...DIGITS, augment: [{ resizedCrop: {} }, { erase: {} }, { mixup: 1 }, { cutmix: 1 }] },
        distill: { ...SHORT_RUN.distill, alpha: 1, softTargets: { store: 'live' } },
      },
    ],
    ['a fraction of an epoch', { distill: { ...SHORT_RUN.distill, epochs: 0.5 } }],
  ])('goes to its end with %s', async (_name, change) => {
    const { report } = await follow(change);
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'scratch', 'distilled']);
    expect(report.parity.every(({ top1Agreement }) => top1Agreement === 1)).toBe(true);
    const { gain, pair } = report.verdict!;
    expect((pair!.onlyDistilled - pair!.onlyScratch) / report.dataset.samples.test).toBeCloseTo(gain, 12);
  });

  it.each([
    [
      'mixup with stored answers',
      { dataset: { ...DIGITS, augment: [{ mixup: 0.2 }] } },
      /mixup makes samples without stored answers/,
    ],
    [
      'cutmix with stored answers',
      { dataset: { ...DIGITS, augment: [{ cutmix: 1 }] } },
      /cutmix makes samples without stored answers/,
    ],
    [
      'operations of 8-bit images on others',
      { dataset: { ...DIGITS, augment: [{ randAugment: {} }] } },
      /randAugment: expected images of 8 bits/,
    ],
    [
      'hints with stored answers',
      { distill: { loss: 'hint', features: [{ student: 'dense1', teacher: 'dense1' }] } },
      /compares inner tensors, which are not stored/,
    ],
    [
      'a hint from an unknown layer',
      {
        distill: {
          loss: 'hint',
          epochs: 1,
          softTargets: { store: 'live' },
          features: [{ student: 'dens1', teacher: 'dense1' }],
        },
      },
      /the student has no layer dens1/,
    ],
    [
      'a hint from an unknown layer of the teacher, before that is trained',
      {
        distill: {
          loss: 'hint',
          epochs: 1,
          softTargets: { store: 'live' },
          features: [{ student: 'dense1', teacher: 'dens1' }],
        },
      },
      /the teacher has no layer dens1/,
    ],
    [
      'a hint from a tensor that the file is not asked for',
      {
        teacher: { onnx: 'teacher.onnx', intermediate: ['relu'] },
        distill: {
          loss: 'hint',
          epochs: 1,
          softTargets: { store: 'live' },
          features: [{ student: 'dense1', teacher: 'gelu' }],
        },
      },
      /gelu is not among teacher\.intermediate, received relu/,
    ],
    [
      'a second view with stored answers',
      { distill: { loss: 'crld', strong: [{ shift: 1 }] } },
      /crld asks the teacher about a second view of each sample, .*received softTargets.store: fp16/,
    ],
    [
      'a memory of mixed samples',
      { dataset: { ...DIGITS, augment: [{ mixup: 1 }] }, distill: { loss: 'crd', features: DENSE } },
      /crd remembers single samples, received dataset\.augment with mixup/,
    ],
    [
      'a memory of samples without a label',
      { dataset: { ...DIGITS, labelled: 40 }, distill: { loss: 'crd', features: DENSE } },
      /crd needs the true class or number, and \d+ of \d+ samples of train have no label/,
    ],
    [
      'layers that the last assistant has not',
      {
        teacher: { train: { model: 'mlp' }, chain: [{ model: 'mlp', hidden: [8] }] },
        distill: {
          loss: 'reviewkd',
          softTargets: { store: 'live' },
          features: [{ student: 'dense1', teacher: 'dense2' }],
        },
      },
      /the last assistant has no layer dense2/,
    ],
  ])('refuses %s', async (_name, change, message) => {
    await writeFile(path.join(folder(), 'teacher.onnx'), '');
    await expect(follow(change)).rejects.toThrow(message);
  });

  it('says what is wrong with a student from a module, and takes the corrected recipe without asking', async () => {
    const module = async (name: string, text: string) => {
      await writeFile(path.join(folder(), name), text);
      return { student: { module: path.join(folder(), name) } };
    };
    await expect(follow(await module('a.mjs', 'export default 3;'))).rejects.toThrow(
      /expected a function as default export, received number/,
    );
    await expect(follow(await module('b.mjs', 'import "nowhere";'))).rejects.toThrow(/student\.module: cannot load/);
    await expect(follow(await module('c.mjs', 'export default () => ({});'))).rejects.toThrow(
      /expected a tfjs-layers model/,
    );
  });

  it('does not go on with a student whose module has changed since, and starts again with it if asked', async () => {
    const student = { module: path.join(folder(), 'mine.mjs') };
    const write = (units: number): Promise<void> =>
      writeFile(
        student.module,
        `export default ({ tf, inputShape, classes }) => tf.sequential({ layers: [
          tf.layers.flatten({ inputShape }), tf.layers.dense({ units: ${units} }), tf.layers.dense({ units: classes }) ] });`,
      );
    const change = { student, teacher: undefined, distill: { ...SHORT_RUN.distill, epochs: 1 } };
    await write(3);
    await follow(change);
    await expect(follow(change)).resolves.toMatchObject({ report: { status: 'complete' } });
    await write(4);
    await expect(follow(change)).rejects.toThrow(/student\.module: \S+mine\.mjs has changed since this run began$/);
    await expect(follow(change, { existing: 'resume' })).rejects.toThrow(/mine\.mjs has changed since/);
    await expect(follow(change, { existing: 'fresh' })).resolves.toMatchObject({ report: { status: 'complete' } });
  });

  it.each([
    ['throws', 'throw new Error("no luck");', /throws\.mjs:1:\d+: the function failed: no luck$/],
    [
      'flat',
      'return tf.sequential({ layers: [tf.layers.dense({ units: classes })] });',
      /flat\.mjs:1:\d+: the function failed: The first layer in a Sequential model must get/,
    ],
    [
      'pair',
      'const [a, b] = [1, 2].map(() => tf.input({ shape: inputShape })); const y = tf.layers.dense({ units: classes }).apply(tf.layers.flatten().apply(tf.layers.add().apply([a, b]))); return tf.model({ inputs: [a, b], outputs: y });',
      /pair\.mjs: expected one input and one output, received the inputs \w+ \[8, 8, 1\], \w+ \[8, 8, 1\] and the outputs \w+ \[10\]$/,
    ],
    [
      'soft',
      'return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ name: "last", units: classes, activation: "softmax" })] });',
      /soft\.mjs: expected logits, received a model whose last layer last is a softmax$/,
    ],
    [
      'probable',
      'return tf.sequential({ layers: [tf.layers.flatten({ inputShape }), tf.layers.dense({ name: "last", units: classes, activation: "sigmoid" }), tf.layers.reshape({ targetShape: [classes] })] });',
      /probable\.mjs: expected logits, received a model whose last layer last is a sigmoid$/,
    ],
  ])('a module that %s is the mistake of its author', async (name, body, message) => {
    const file = path.join(folder(), `${name}.mjs`);
    await writeFile(file, `export default ({ tf, inputShape, classes }) => { ${body} };`);
    const failed = follow({ student: { module: file } });
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(message);
  });

  it('stopped by its signal saves, and goes on to the same end', async () => {
    const stop = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.stage === 'distill' && event.epoch === 12) stop.abort();
    };
    // A rate that is too high: the best epoch is an early one, and must be remembered.
    const distill = { epochs: 16, batchSize: 128, optimizer: { learningRate: 0.3, schedule: 'constant' } };
    await follow({ name: 'whole', distill });
    const stopped = follow({ name: 'r', distill }, { signal: stop.signal, onEvent });
    await expect(stopped).rejects.toThrow(InterruptedError);
    await expect(stopped).rejects.toThrow(/stopped distill after step 132 of 176; go on with: limbeck resume .*r$/);
    expect(await soFar('r')).toEqual([
      ['teacher', 2410, 0, null, expect.any(Number)],
      ['scratch', 610, 0, null, expect.any(Number)],
    ]);
    const { events } = await follow({ name: 'r', distill });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'stage', stage: 'distill', resumedAt: 'step 132 of 176' }),
    );
    const weights = async (name: string) => {
      const { readSafetensors } = await import('../../src/formats/safetensors.ts');
      const state = path.join(folder(), name, 'state');
      const file = (await readdir(state))
        .filter((entry) => entry.startsWith('distill'))
        .sort()
        .at(-1)!;
      return readSafetensors(await readFile(path.join(state, file)), file).tensors;
    };
    expect(await weights('r')).toEqual(await weights('whole'));
  });

  it('that failed has what it had exported in its report, with size and accuracy', async () => {
    const quantize = { samples: 64, maxDrop: 100 };
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'done' && event.stage === 'export exports/distilled-int8.onnx') throw new Error('no more');
    };
    await expect(follow({ name: 'f', quantize }, { onEvent })).rejects.toThrow('no more');
    const size = async (file: string) => (await readFile(path.join(folder(), 'f', file))).length;
    const rows = await soFar('f');
    expect(rows.map(([id]) => id)).toEqual(['teacher', 'scratch', 'distilled', 'distilled-int8']);
    for (const [, params, sizeBytes, file, validation] of rows) {
      expect([Number(params) > 600, sizeBytes]).toEqual([true, await size(file as string)]);
      expect(validation).toBeGreaterThan(0);
    }
    const text = await readFile(path.join(folder(), 'f/report.html'), 'utf8');
    expect(text).toMatch(/<p class="lead">The run failed in .*: no more\. /);
    expect(text).toContain('distilled-int8<small>int8, exports/distilled-int8.onnx</small>');
  });

  it('writes what happened to log.jsonl', async () => {
    await follow({});
    const lines = (await readFile(path.join(folder(), 'r/log.jsonl'), 'utf8')).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { event: string; stage?: string; level: string });
    expect(events[0]).toMatchObject({ event: 'run', level: 'info', name: 'r', resumed: false });
    expect(events.filter(({ event, stage }) => event === 'epoch' && stage === 'distill')).toHaveLength(2);
    expect(events.some(({ event }) => event === 'progress')).toBe(false);
  });
});
