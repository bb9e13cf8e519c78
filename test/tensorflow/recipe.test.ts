import { InterruptedError } from '../../src/base/errors.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import type { Report } from '../../src/report/types.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const ENGINES = ['onnxruntime', 'tensorflow'] as const;
type Name = (typeof ENGINES)[number];

/** Test scores by model, in percent. */
const scores = ({ models }: Report) => new Map(models.map(({ id, score }) => [id, 100 * score.test!]));

function expectSameAccuracies(actual: Report, expected: Report): void {
  const [ours, theirs] = [scores(actual), scores(expected)];
  expect([...ours.keys()]).toEqual([...theirs.keys()]);
  const apart = [...theirs].filter(([id, score]) => !(Math.abs(ours.get(id)! - score) < 0.3));
  expect(apart).toEqual([]);
}

it('the digits-csv recipe ends with the same verdict on both engines, and accuracies within 0.3 points', async () => {
  const reports = new Map<Name, Report>();
  for (const engine of ENGINES) {
    const settings = [`engine=${engine}`, 'device=cpu', `name=digits-${engine}`];
    const { report } = await runRecipe(await loadRunnable('recipes/digits-csv.yaml', settings), { out: folder() });
    expect(report.machine).toMatchObject({ engine, device: 'cpu' });
    reports.set(engine, report);
  }
  const [ours, theirs] = ENGINES.map((engine) => reports.get(engine)!) as [Report, Report];
  expect(scores(ours).get('distilled')).toBeGreaterThan(80);
  expectSameAccuracies(theirs, ours);
  expect(theirs.verdict!.result).toBe(ours.verdict!.result);
}, 900_000);

/** Batch norms, and on demand everything else that a training has besides. */
function recipe(name: string, engine: Name, change: object = {}) {
  const written = {
    ...{ name, engine, device: 'cpu', ...QUICK },
    dataset: { ...DIGITS, limit: 400 },
    teacher: { train: { model: 'mlp', hidden: [32], epochs: 4, batchSize: 64 } },
    student: { model: 'ds-cnn', width: 0.25 },
    baseline: false,
    distill: { epochs: 4, batchSize: 64 },
    ...change,
  };
  return makeRecipe(written, folder());
}

/** Losses of the student's epochs. */
const losses = ({ training }: Report, stage = 'distill') =>
  training!.find((curve) => curve.stage === stage)!.epochs.map(({ loss }) => loss);

function expectSameLosses(actual: Report, expected: Report, stage?: string): void {
  const [ours, theirs] = [losses(actual, stage), losses(expected, stage)];
  expect(ours).toHaveLength(theirs.length);
  ours.forEach((loss, i) => expect(Math.abs(loss / theirs[i]! - 1)).toBeLessThan(1e-2));
}

describe('a run that was stopped goes on from its saved state on the other engine', () => {
  it.each([
    ['onnxruntime', 'tensorflow'],
    ['tensorflow', 'onnxruntime'],
  ] as const)('%s to %s', async (from, to) => {
    const whole = await runRecipe(recipe('whole', from), { out: folder() });
    const stop = new AbortController();
    const stopped = runRecipe(recipe('moved', from), {
      out: folder(),
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'epoch' && event.stage === 'distill' && event.epoch === 2) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow(InterruptedError);
    const resumedAt: unknown[] = [];
    const { report } = await runRecipe(recipe('moved', to), {
      out: folder(),
      onEvent: (event) => {
        if (event.type === 'stage' && event.stage === 'distill' && 'title' in event) resumedAt.push(event.resumedAt);
      },
    });
    expect(resumedAt).toEqual([expect.stringMatching(/^step \d+ of \d+$/)]);
    expect(report.machine.engine).toBe(to);
    expect(report.notes.join()).toContain(`engine: "${from}" -> "${to}"`);
    expectSameLosses(report, whole.report);
  });
});

it('mixup, moving averages, masks and training for int8 give the same losses on both engines', async () => {
  const change = {
    dataset: { ...DIGITS, limit: 400, augment: [{ mixup: 0.3 }] },
    student: { model: 'ds-cnn', width: 0.5 },
    distill: { epochs: 3, batchSize: 64, ema: 0.9, softTargets: { store: 'live' } },
    prune: [{ type: 'magnitude', amount: 0.5, finetune: { epochs: 2 }, maxDrop: 100 }],
    quantize: [{ method: 'qat', samples: 64, maxDrop: 100, qat: { epochs: 1 } }],
  };
  const reports: Report[] = [];
  for (const engine of ENGINES)
    reports.push((await runRecipe(recipe(engine, engine, change), { out: folder() })).report);
  const [ours, theirs] = reports as [Report, Report];
  const stages = ours.training!.map(({ stage }) => stage);
  expect(stages.length).toBeGreaterThanOrEqual(4);
  for (const stage of stages) expectSameLosses(theirs, ours, stage);
});
