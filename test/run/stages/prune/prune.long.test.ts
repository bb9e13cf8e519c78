import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError } from '../../../../src/base/errors.ts';
import { readSafetensors } from '../../../../src/formats/safetensors.ts';
import type { TensorData } from '../../../../src/graph/types.ts';
import { eventText } from '../../../../src/watch/events.ts';
import type { RunEvent } from '../../../../src/base/events.ts';
import { runRecipe } from '../../../../src/run/run.ts';
import { makeRecipe } from '../../../../src/setup/make-recipe.ts';
import { FINETUNE_RATE } from '../../../../src/run/stages/prune/job.ts';
import { sizeOnly } from '../../../../src/run/stages/prune/prune.ts';
import { DIGITS, QUICK } from '../../../support/digits.ts';
import type { ModelRef } from '../../../../src/report/artifact.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();

const STEP = { amount: 0.5, budget: 'layer', finetune: { epochs: 2 }, maxDrop: 100 };
const BASE = {
  name: 'r',
  dataset: { ...DIGITS, augment: [{ shift: 1 }] },
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 2, batchSize: 128 } },
  student: { model: 'mlp', hidden: [32] },
  distill: { epochs: 2, batchSize: 128, ema: 0.9 },
  baseline: false,
  ...QUICK,
};

function follow(change: object, options: Parameters<typeof runRecipe>[1] = {}) {
  const events: RunEvent[] = [];
  const recipe = makeRecipe({ ...BASE, prune: [STEP], ...change }, folder());
  const result = runRecipe(recipe, { out: folder(), onEvent: (event) => void events.push(event), ...options });
  return result.then((done) => ({ ...done, events }));
}

/** Trained well enough that lost channels are missed. */
const TRAINED = {
  dataset: DIGITS,
  teacher: undefined,
  distill: { epochs: 6, batchSize: 32, optimizer: { learningRate: 0.01 } },
};

/** The newest saved state of a stage: weights, optimizer and moving average. */
async function state(run: string, stage: string) {
  const states = path.join(folder(), run, 'state');
  const file = (await readdir(states))
    .filter((name) => name.replace(/-\d{6}\.safetensors$/, '') === stage)
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
      figures: { score: { validation: expect.any(Number) as number }, params: 1210, macs: 1184 },
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
    expect(whole!.score.validation!).toBeGreaterThan(0.85);
    expect(pruned!.score.validation!).toBeLessThan(whole!.score.validation! - 0.1);
  });

  it('stops when it loses more than maxDrop, or goes on with the student from before', async () => {
    const step = { ...STEP, amount: 0.75, finetune: { epochs: 0 }, maxDrop: 0 };
    await expect(follow({ ...TRAINED, prune: [step] })).rejects.toThrow(
      /^prune\[0\]: \d+\.\d\d points of validation accuracy were lost, expected at most 0 \(maxDrop\)$/,
    );
    const { report } = await follow({ ...TRAINED, name: 's', prune: [{ ...step, fallback: 'skip' }] });
    expect(report.models.map(({ id }) => id)).toEqual(['scratch']);
    expect(report.notes).toContainEqual(expect.stringMatching(/were lost.*; the previous student is kept$/));
  });

  it('makes no model of a step that finds no channel to remove, and says so', async () => {
    const { report } = await follow({ student: { model: 'mlp', hidden: [8] }, prune: [STEP, STEP] });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'distilled']);
    expect(report.notes).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^prune-1: left .* alone: 8 channels cannot become fewer and stay a multiple of 8$/),
        'prune[0]: no channel could be removed; the previous student is kept',
        'prune[1]: not tried: the same as prune[0], which removed no channel',
      ]),
    );
  });

  it('prunes the student that was trained without a teacher', async () => {
    const { report } = await follow({ teacher: undefined });
    expect(report.models.map(({ id }) => id)).toEqual(['scratch', 'pruned-1']);
  });

  it('refuses a student without channels to remove before anything is trained', async () => {
    await expect(follow({ student: { model: 'mlp', hidden: [] } })).rejects.toThrow(
      /^prune: the student mlp has no channels that can be removed: its channels are the outputs of the model$/,
    );
  });

  it('in rounds goes the same way in smaller steps, and says in its row what all of them removed', async () => {
    const step = { ...STEP, amount: 0.75, rounds: 2, finetune: { epochs: 1 }, importance: 'taylor' };
    const { report, events } = await follow({ prune: [step] });
    expect(events.map(eventText)).toEqual(
      expect.arrayContaining([
        'pruning the student, round 1 of 2: 32 → 16 channels, 2410 → 1210 parameters, 2368 → 1184 MACs',
        'pruning the student, round 2 of 2: 16 → 8 channels, 1210 → 610 parameters, 1184 → 592 MACs',
      ]),
    );
    expect(report.models.map(({ id, params }) => [id, params])).toEqual([
      ['teacher', 2410],
      ['distilled', 2410],
      ['pruned-1', 610],
    ]);
    const ledger = await readFile(path.join(folder(), 'r/ledger.json'), 'utf8');
    const { rows } = JSON.parse(ledger) as { rows: { stage: string; notes: object }[] };
    expect(rows.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['prune-1-round-1', 'prune-1']));
    expect(rows.find(({ stage }) => stage === 'prune-1')!.notes).toMatchObject({
      cuts: [{ layers: ['dense1'], before: 32, after: 8, by: 'taylor' }],
    });
    // One row of the report's curves belongs to the model row.
    expect(report.training!.map(({ stage }) => stage)).toEqual(['teach', 'distill', 'prune-1-round-1', 'prune-1']);
  });

  it('is fine-tuned with a lower learning rate than the student was trained with, unless the recipe has one', async () => {
    const curve = async (name: string, finetune: object) => {
      const { report } = await follow({ name, prune: [{ ...STEP, finetune: { epochs: 1, ...finetune } }] });
      return report.training!.find(({ stage }) => stage === 'prune-1')!.epochs;
    };
    const byDefault = await curve('default', {});
    expect(await curve('same', { optimizer: { learningRate: FINETUNE_RATE * 0.002 } })).toEqual(byDefault);
    expect(await curve('other', { optimizer: { learningRate: 0.002 } })).not.toEqual(byDefault);
  });
});

describe('a recipe with masks', () => {
  const zeros = (data: TensorData): number => [...(data as Float32Array)].filter((value) => value === 0).length;
  const MASKED = { type: 'magnitude', amount: 0.75, budget: 'layer', finetune: { epochs: 2 }, maxDrop: 100 };

  it('has as many zeros as it asked for, in the weights, their average and the file, and keeps the masks', async () => {
    const { report, events } = await follow({ prune: [MASKED] });
    expect(events.map(eventText)).toContain('pruning the student: 1776 of 2368 weights become zero');
    const [, distilled, masked] = report.models;
    expect(masked).toMatchObject({ id: 'pruned-1', stage: 'prune-1', params: 2410, sizeBytes: distilled!.sizeBytes });
    expect(masked!.gzipBytes!).toBeLessThan(0.5 * distilled!.gzipBytes!);
    expect(report.notes).toContain('prune-1: 75.0 % of 2368 weights are zero');
    expect(report.notes).toContainEqual(expect.stringMatching(/^pruned-1: compressed size only/));
    const tensors = await state('r', 'prune-1');
    for (const name of ['state/', 'state/ema/', 'state/mask/', 'best/', 'best/mask/'])
      expect([name, zeros(tensors.get(`${name}dense1/kernel`)!.data)]).toEqual([name, 0.75 * 64 * 32]);
  });

  it('grows its masks on the way, and chooses no epoch from before they were grown', async () => {
    const early = { ...MASKED, amount: 0.95, finetune: { epochs: 4, optimizer: { learningRate: 1e-6 } } };
    const { report } = await follow({ ...TRAINED, prune: [early] });
    const { bestEpoch, epochs } = report.training!.find(({ stage }) => stage === 'prune-1')!;
    expect(epochs[0]!.validation).toBeGreaterThan(epochs[3]!.validation);
    expect(bestEpoch).toBeGreaterThanOrEqual(2);
    expect(report.models.at(-1)!.score.validation).toBe(epochs[bestEpoch! - 1]!.validation);
  });

  it('stopped inside the training goes on to the same bits, masks included', async () => {
    const stop = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.stage === 'prune-1') stop.abort();
    };
    const prune = [{ ...MASKED, finetune: { epochs: 3 } }];
    await follow({ name: 'whole', prune });
    await expect(follow({ name: 'r', prune }, { signal: stop.signal, onEvent })).rejects.toThrow(InterruptedError);
    const { report } = await follow({ name: 'r', prune });
    expect(await state('r', 'prune-1')).toEqual(await state('whole', 'prune-1'));
    expect(report.models.at(-1)!.id).toBe('pruned-1');
  });

  it('keeps what is zero through later steps: a pattern, and channels that go', async () => {
    const prune = [
      { type: 'n:m', finetune: { epochs: 2 }, maxDrop: 100 },
      { ...MASKED, finetune: { epochs: 1 } },
      { ...STEP, finetune: { epochs: 1 } },
    ];
    await follow({ student: { model: 'mlp', hidden: [32, 16] }, prune });
    const first = await state('r', 'prune-1');
    expect(zeros(first.get('best/dense1/kernel')!.data)).toBe(64 * 32 * 0.5);
    const mask = (await state('r', 'prune-2')).get('best/mask/dense1/kernel')!.data;
    const weights = (await state('r', 'prune-2')).get('best/dense1/kernel')!.data;
    expect(zeros(mask)).toBeGreaterThanOrEqual(64 * 32 * 0.75);
    first.get('best/mask/dense1/kernel')!.data.forEach((value, i) => {
      if (value === 0) expect([mask[i], weights[i]]).toEqual([0, 0]);
    });
    const last = await state('r', 'prune-3');
    const [cut, own] = [last.get('best/dense1/kernel')!, last.get('best/mask/dense1/kernel')!];
    expect(cut.shape).toEqual([64, 16]);
    expect(own.shape).toEqual([64, 16]);
    own.data.forEach((value, i) => {
      if (value === 0) expect(cut.data[i]).toBe(0);
    });
    expect(zeros(own.data)).toBeGreaterThan(64 * 16 * 0.5);
  });

  it('without training masks at once', async () => {
    const { report } = await follow({ ...TRAINED, prune: [{ ...MASKED, amount: 0.9, finetune: { epochs: 0 } }] });
    const [whole, masked] = report.models;
    expect(masked!.score.validation!).toBeLessThan(whole!.score.validation!);
    expect(masked!.gzipBytes!).toBeLessThan(0.4 * whole!.gzipBytes!);
  });

  it('refuses a pattern that keeps everything', () => {
    expect(() => makeRecipe({ ...BASE, prune: [{ type: 'n:m', pattern: '4:4' }] }, folder())).toThrow(
      /prune\[0\]\.pattern: expected n:m with n < m, received 4:4/,
    );
  });
});

describe('a recipe that asks for sensitivity', () => {
  it('has the loss of each layer alone in its report', async () => {
    const { report } = await follow({
      ...TRAINED,
      student: { model: 'mlp', hidden: [32, 16] },
      prune: [],
      report: { latency: { seconds: 0 }, pruningSensitivity: true },
    });
    const { model, score, rows } = report.pruningSensitivity!;
    expect([model, score]).toEqual(['scratch', report.models[0]!.score.validation]);
    expect(rows.map(({ layers, channels, kept }) => [layers.join(), channels, kept])).toEqual([
      ['dense1', 32, 24],
      ['dense1', 32, 16],
      ['dense1', 32, 8],
      ['dense2', 16, 8],
    ]);
    for (const row of rows) expect(row.drop).toBeCloseTo(score - row.score);
    expect(rows[2]!.drop).toBeGreaterThan(0.05);
    const html = await readFile(path.join(folder(), 'r/report.html'), 'utf8');
    expect(html).toContain('Sensitivity to pruning');
    expect(html).toContain('<th scope="row">dense2</th><td>16</td><td>8</td>');
  });
});

describe('size only', () => {
  const row = (p50Ms: number, batchSize = 1) => {
    return { runtime: 'onnxruntime', device: 'cpu', batchSize, threads: 1, p50Ms } as never;
  };
  const model = (model: ModelRef) => ({ model, trained: {} }) as never;

  it('is said of a step that is faster nowhere', () => {
    const said = (...after: number[]) =>
      sizeOnly(
        [model({ role: 'scratch', repeat: 0 }), model({ role: 'distilled', repeat: 0 })],
        [model({ role: 'pruned', repeat: 0, step: 1 })],
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
