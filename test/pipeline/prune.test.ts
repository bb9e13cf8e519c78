import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../src/base/errors.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { eventText } from '../../src/pipeline/events.ts';
import type { RunEvent } from '../../src/pipeline/events.ts';
import { runRecipe } from '../../src/pipeline/run.ts';
import { makeRecipe } from '../../src/pipeline/runnable.ts';
import { sizeOnly } from '../../src/pipeline/stages/prune.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const DIGITS = {
  type: 'csv',
  train: path.join(ROOT, 'datasets/digits/train.csv'),
  test: path.join(ROOT, 'datasets/digits/test.csv'),
  label: 'digit',
  shape: [8, 8, 1],
  normalize: { mean: 0, std: 16 },
  augment: [{ shift: 1 }],
};
const STEP = { amount: 0.5, budget: 'layer', finetune: { epochs: 2 }, maxDrop: 100 };
const BASE = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 2, batchSize: 128 } },
  student: { model: 'mlp', hidden: [32] },
  distill: { epochs: 2, batchSize: 128, ema: 0.9 },
  baseline: false,
  report: { latency: { seconds: 0 } },
};

function follow(change: object, options: Parameters<typeof runRecipe>[1] = {}) {
  const events: RunEvent[] = [];
  const recipe = makeRecipe({ ...BASE, prune: [STEP], ...change }, folder());
  const result = runRecipe(recipe, { out: folder(), onEvent: (event) => void events.push(event), ...options });
  return result.then((done) => ({ ...done, events }));
}

/** Trained well enough that lost channels are missed. */
const TRAINED = {
  dataset: { ...DIGITS, augment: [] },
  teacher: undefined,
  distill: { epochs: 6, batchSize: 32, optimizer: { learningRate: 0.01 } },
};

/** The newest saved state of a stage: weights, optimizer and moving average. */
async function state(run: string, stage: string) {
  const states = path.join(folder(), run, 'state');
  const file = (await readdir(states))
    .filter((name) => name.startsWith(`${stage}-`))
    .sort()
    .at(-1)!;
  return readSafetensors(await readFile(path.join(states, file)), file).tensors;
}

describe('a recipe with pruning', () => {
  it('has the smaller student in ledger, report and exports, trained on with the teacher', async () => {
    const { report, events } = await follow({ prune: [STEP, STEP] });
    expect(report.models.map(({ id, stage, params, macs }) => [id, stage, params, macs])).toEqual([
      ['teacher', 'teach', 2410, 2368],
      ['distilled', 'distill', 2410, 2368],
      ['pruned-1', 'prune-1', 1210, 1184],
      ['pruned-2', 'prune-2', 610, 592],
    ]);
    const [, distilled, first] = report.models;
    expect(first!.sizeBytes).toBeLessThan(0.7 * distilled!.sizeBytes);
    expect(report.parity.every(({ top1Agreement }) => top1Agreement === 1)).toBe(true);
    expect(report.notes).toContain('prune-1: left logits alone: its channels are the outputs of the model');
    expect(events.map(eventText)).toContain(
      'pruning the student: 32 → 16 channels, 2410 → 1210 parameters, 2368 → 1184 MACs',
    );
    const ledger = JSON.parse(await readFile(path.join(folder(), 'r/ledger.json'), 'utf8')) as {
      rows: { stage: string; figures: object; notes: object }[];
    };
    const rows = ledger.rows.filter(({ stage }) => stage === 'prune-1');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      figures: { accuracy: { validation: expect.any(Number) as number }, params: 1210, macs: 1184 },
      notes: {
        cuts: [{ layers: ['dense1'], before: 32, after: 16, by: 'l2' }],
        skipped: [{ what: 'logits', why: 'its channels are the outputs of the model' }],
      },
    });
    expect([...(await state('r', 'prune-1')).keys()]).toContain('state/ema/dense1/kernel');
  });

  it('stopped inside the training after pruning goes on to the same bits', async () => {
    const stop = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.stage === 'prune-1') stop.abort();
    };
    await follow({ name: 'whole' });
    const stopped = follow({ name: 'r' }, { signal: stop.signal, onEvent });
    await expect(stopped).rejects.toThrow(InterruptedError);
    await expect(stopped).rejects.toThrow(/stopped prune-1 after step 11 of 22/);
    const { events, report } = await follow({ name: 'r' });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'stage', stage: 'prune-1', resumedAt: 'step 11 of 22' }),
    );
    expect(await state('r', 'prune-1')).toEqual(await state('whole', 'prune-1'));
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled', 'pruned-1']);
  });

  it('without training after it only counts what is left', async () => {
    const { report } = await follow({ ...TRAINED, prune: [{ ...STEP, amount: 0.75, finetune: { epochs: 0 } }] });
    const [whole, pruned] = report.models;
    expect(pruned!.params).toBe(610);
    expect(whole!.accuracy.validation!).toBeGreaterThan(0.85);
    expect(pruned!.accuracy.validation!).toBeLessThan(whole!.accuracy.validation! - 0.1);
  });

  it('stops when it loses more than maxDrop, or goes on with the student from before', async () => {
    const step = { ...STEP, amount: 0.75, finetune: { epochs: 0 }, maxDrop: 0 };
    await expect(follow({ ...TRAINED, prune: [step] })).rejects.toThrow(
      /^prune\[0\]: \d+\.\d\d points of validation accuracy were lost, expected at most 0 \(maxDrop\)$/,
    );
    const { report } = await follow({ ...TRAINED, name: 's', prune: [{ ...step, fallback: 'skip' }] });
    expect(report.models.map(({ id }) => id)).toEqual(['scratch']);
    expect(report.notes).toContainEqual(expect.stringMatching(/were lost.*; the student from before is kept$/));
  });

  it('prunes the student that was trained without a teacher', async () => {
    const { report } = await follow({ teacher: undefined });
    expect(report.models.map(({ id }) => id)).toEqual(['scratch', 'pruned-1']);
  });

  it('refuses a student without channels to remove before anything is trained, and other kinds of pruning', async () => {
    await expect(follow({ student: { model: 'mlp', hidden: [] } })).rejects.toThrow(
      /^prune: the student mlp has no channels that can be removed: its channels are the outputs of the model$/,
    );
    expect(() => makeRecipe({ ...BASE, prune: [{ type: 'magnitude' }] }, folder())).toThrow(/prune\.type/);
  });
});

describe('size only', () => {
  const row = (p50Ms: number, batchSize = 1) => {
    return { runtime: 'onnxruntime', device: 'cpu', batchSize, threads: 1, p50Ms } as never;
  };
  const model = (id: string) => ({ id, repeat: 0 }) as never;

  it('is said of a step that is faster nowhere', () => {
    const said = (...after: number[]) =>
      sizeOnly(
        [model('scratch'), model('distilled')],
        [model('pruned-1')],
        new Map([
          ['distilled', [row(1), row(5, 8)]],
          ['pruned-1', after.map((ms, i) => row(ms, i === 0 ? 1 : 8))],
        ]),
      );
    expect(said(1.1, 5)).toEqual([
      'pruned-1: size only: smaller than distilled, but no faster in any setting that was timed',
    ]);
    expect(said(1.1, 4)).toEqual([]);
    expect(said()).toEqual([]);
  });
});
