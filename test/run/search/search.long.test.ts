import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunEvent } from '../../../src/base/events.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { reportSoFar } from '../../../src/folder/report/report-so-far.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import type { Report, Search } from '../../../src/report/types.ts';
import { DIGITS } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const RECIPE = {
  name: 's',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [64], epochs: 3, batchSize: 128 } },
  student: { model: 'ds-cnn', width: 0.25, strides: [1, 2, 1] },
  threads: 1,
  // A target is timed at one batch size on one thread.
  report: { latency: { seconds: 0.1, batchSizes: [1], threads: [1] } },
  distill: { epochs: 2, batchSize: 128, optimizer: { learningRate: 0.01 } },
};

function search(target: object, options: Parameters<typeof runRecipe>[1] = {}, change: object = {}) {
  const recipe = makeRecipe({ ...RECIPE, target, ...change }, folder());
  return runRecipe(recipe, { out: folder(), ...options });
}

const SMALL = { widths: [1], amounts: [0, 0.3], rounds: 2 };

describe('a recipe with a target', () => {
  it('reports a student within the budget, the Pareto set, and the test accuracy of the pick alone', async () => {
    const { report, folder: run } = await search({ ...SMALL, sizeKb: 40 });
    const found = report.search!;
    expect(found.withinBudget).toBe(true);
    // 2 candidates, then 1; each as fp32 and int8.
    expect(found.points.length).toBeGreaterThanOrEqual(6);
    const pick = found.points.find(({ id }) => id === found.pick)!;
    expect(pick.sizeBytes).toBeLessThanOrEqual(40_000);
    for (const point of found.points) {
      if (point.withinBudget) expect(pick.validation).toBeGreaterThanOrEqual(point.validation);
    }
    expectFront(found);
    expect(report.models.every(({ score }) => score.test !== null)).toBe(true);
    const trial = await trialReport(run, 'width-1-pruned-0-round-1');
    if (!found.pick.startsWith('width-1-pruned-0-round-1')) {
      expect(trial.models.every(({ score }) => score.test === null)).toBe(true);
    }
    const row = report.models.at(-1)!;
    expect(found.pick).toMatch(new RegExp(`/${row.id}$`));
    expect((await readFile(path.join(run, row.file!))).length).toBe(row.sizeBytes);
    expect(await readFile(path.join(run, 'report.md'), 'utf8')).toContain('Pareto set');
    expect(await readFile(path.join(run, 'report.html'), 'utf8')).toContain('id="search"');
  }, 120_000);

  it('says that none is within the budget and how far off the closest is, and goes on where it was stopped', async () => {
    const target = { widths: [1], amounts: [0], rounds: 2, sizeKb: 1 };
    const abort = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'stage' && event.trial === 'width-1-pruned-0-round-2') abort.abort();
    };
    await expect(search(target, { signal: abort.signal, onEvent })).rejects.toThrow('go on with: limbeck resume');
    const run = path.join(folder(), 's');
    const stopped = JSON.parse(await readFile(path.join(run, 'report.json'), 'utf8')) as Report;
    expect([stopped.status, stopped.stopped!.stage]).toEqual(['interrupted', 'width-1-pruned-0-round-2/distill']);
    expect(stopped.stopped!.reason).toMatch(/^stopped distill after step \d+ of \d+$/);
    expect(stopped.search!.sentence).toMatch(/^before it stopped, none of 2 measured students is within the budget/);
    expect(stopped.search!.withinBudget).toBe(false);
    const points = ['distilled', 'distilled-int8'].map((id) => `width-1-pruned-0-round-1/${id}`);
    expect(stopped.search!.points.map(({ id }) => id)).toEqual(points);
    const { file, sizeBytes } = stopped.models.at(-1)!;
    expect((await readFile(path.join(run, file!))).length).toBe(sizeBytes);
    // A kill would have left the same, but for the reason.
    expect(await reportSoFar(run)).toMatchObject({
      stopped: { stage: 'width-1-pruned-0-round-2/distill', reason: 'it was killed, or is still going on' },
      search: stopped.search,
      models: stopped.models,
    });
    const events: RunEvent[] = [];
    const { report } = await search(target, { onEvent: (event) => void events.push(event) });
    // The first candidate was done before the stop, and the teacher with it: neither is trained again.
    const trained = events.flatMap((event) => (event.type === 'epoch' ? [`${event.trial}/${event.stage}`] : []));
    expect(new Set(trained)).toEqual(new Set(['width-1-pruned-0-round-2/distill']));
    expect(report.search!.withinBudget).toBe(false);
    expect(report.search!.sentence).toMatch(
      /^none of \d+ measured students is within the budget; .* comes closest, over it by /,
    );
  }, 120_000);

  it('has a point for every step of `quantize`, also where several have one precision', async () => {
    const quantize = [{ samples: 64 }, { samples: 64, calibrator: 'minmax' }];
    const epochs: string[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch') epochs.push(`${event.trial}/${event.stage} ${event.epoch}`);
    };
    const target = { widths: [1], amounts: [0, 0.3], rounds: 1, sizeKb: 40 };
    const start = performance.now();
    const { report, folder: run } = await search(target, { onEvent }, { quantize });
    const elapsed = (performance.now() - start) / 1000;
    const ids = report.search!.points.map(({ id }) => id.replace('-round-1', ''));
    expect(ids).toEqual([
      'width-1-pruned-0/distilled',
      'width-1-pruned-0/distilled-int8',
      'width-1-pruned-0/distilled-int8-2',
      // What was distilled before pruning is the first candidate again.
      'width-1-pruned-0.3/pruned-1',
      'width-1-pruned-0.3/pruned-1-int8',
      'width-1-pruned-0.3/pruned-1-int8-2',
    ]);
    // Both are pruned from one training, which is counted once.
    const students = epochs.filter((epoch) => !epoch.includes('teach'));
    expect(students.map((epoch) => epoch.replace('-round-1', ''))).toEqual([
      'width-1-pruned-0/distill 1',
      'width-1-pruned-0/distill 2',
      'width-1-pruned-0.3/prune-1 1',
    ]);
    const trials = await Promise.all([0, 0.3].map((amount) => trialReport(run, `width-1-pruned-${amount}-round-1`)));
    const [first, second] = trials.map(({ wallSeconds }) => wallSeconds);
    // Counted twice, it would be more than the time that has passed. What is left is the timing of all files side by side.
    expect(report.wallSeconds).toBeLessThan(elapsed);
    expect(report.wallSeconds).toBeGreaterThan(first! + second!);
    const [a, b] = trials.map(({ training }) => training!.find(({ stage }) => stage === 'distill'));
    expect(b).toEqual(a);
  }, 120_000);

  it.each([
    [
      'that all meet',
      1000,
      true,
      /^the best of 2 measured students within the budget .* timed again at the end, .* ms, within the budget$/,
    ],
    [
      'that none can meet',
      1e-6,
      false,
      /^none of 2 measured .* timed again at the end, .* ms, over the budget by \d+ %$/,
    ],
  ])(
    'with a latency %s judges the pick by two measurements',
    async (_name, p95Ms, isWithin, sentence) => {
      const { report } = await search({ widths: [1], amounts: [0], rounds: 1, p95Ms });
      const { points, pick, withinBudget, again, sentence: said } = report.search!;
      expect(points.map((point) => point.withinBudget)).toEqual([isWithin, isWithin]);
      expect([withinBudget, again!.withinBudget]).toEqual([isWithin, isWithin]);
      expect(said).toMatch(sentence);
      const row = report.models.at(-1)!;
      expect(pick).toContain(`/${row.id}`);
      expect(again).toMatchObject({ p50Ms: row.latency[0]!.p50Ms, p95Ms: row.latency[0]!.p95Ms });
    },
    120_000,
  );

  it('refuses widths of a student that has none, before anything is trained', async () => {
    const student = { model: 'embedding-bag' };
    await expect(search({ widths: [0.5], sizeKb: 9 }, {}, { student })).rejects.toThrow(
      'target.widths: embedding-bag has none of the options width, alpha, filters, hidden, received 0.5',
    );
  });

  it.each([
    [
      'a budget',
      { target: { widths: [1] } },
      'target: expected a budget: p95Ms, sizeKb, maxDrop or several of them, received none of them',
    ],
    [
      'a teacher to compare with',
      { target: { maxDrop: 1 }, teacher: undefined },
      'target.maxDrop: expected a teacher whose accuracy on the validation split can be measured, received no teacher',
    ],
    [
      'a teacher that can be asked about the validation split',
      { target: { maxDrop: 1 }, teacher: { logits: 'answers.safetensors' } },
      'target.maxDrop: expected a teacher whose accuracy on the validation split can be measured, ' +
        'received stored logits, which are of the training split',
    ],
    [
      'a student',
      { target: { sizeKb: 1 }, student: undefined },
      'target: expected a student to search for, received a recipe without student',
    ],
  ])('needs %s', (_name, change, message) => {
    expect(() => makeRecipe({ ...RECIPE, ...change }, folder())).toThrow(message);
  });

  it('stops at the first candidate that cannot be timed', async () => {
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): void => void events.push(event);
    await expect(search({ ...SMALL, sizeKb: 40, threads: 4096 }, { onEvent })).rejects.toThrow(
      /^target: no file could be timed in onnxruntime on 4096 threads; latency of .* was not measured: there are \d+ cores/,
    );
    expect(events.filter((event) => event.type === 'done' && event.stage === 'distill')).toHaveLength(1);
  }, 120_000);
});

async function trialReport(run: string, trial: string): Promise<Report> {
  return JSON.parse(await readFile(path.join(run, 'search', trial, 'report.json'), 'utf8')) as Report;
}

function expectFront({ points }: Search): void {
  for (const point of points) {
    const isBeaten = points.some(
      (other) =>
        other.validation >= point.validation &&
        other.p95Ms <= point.p95Ms &&
        other.sizeBytes <= point.sizeBytes &&
        (other.validation > point.validation || other.p95Ms < point.p95Ms || other.sizeBytes < point.sizeBytes),
    );
    expect(point.onFront).toBe(!isBeaten);
  }
}
