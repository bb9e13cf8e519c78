import { summary, timedAgain } from '../../../src/folder/search/summary.ts';
import { targetSchema } from '../../../src/recipe/schema/target.ts';
import { accuracyScore } from '../../../src/tasks/score.ts';

const point = (run: string, p95Ms: number) => ({
  ...{ id: `${run}/distilled`, run, model: 'distilled' },
  ...{ width: 1, amount: 0, precision: 'fp32', epochs: 1, params: 1, sizeBytes: 20_000, validation: 0.9 },
  ...{ p50Ms: p95Ms / 2, p95Ms },
});

const latency = (p95Ms: number) => ({
  ...{ runtime: 'onnxruntime', device: 'cpu', batchSize: 1, threads: 1, throughputPerSecond: 1 },
  ...{ p50Ms: p95Ms / 2, p95Ms },
});

const searched = (target: object) => {
  const pick = point('a', 0.9);
  const budget = targetSchema.parse(target);
  return summary([pick, point('b', 3)], pick, budget, { budget, score: accuracyScore, teacher: undefined });
};

describe('the second measurement of a pick', () => {
  it('takes it out of the budget that the first one was within, and says by how much', () => {
    const search = searched({ p95Ms: 1 });
    expect(search.withinBudget).toBe(true);
    const again = timedAgain(search, latency(1.25));
    expect(again).toMatchObject({ withinBudget: false, again: { p50Ms: 0.625, p95Ms: 1.25, withinBudget: false } });
    expect(again.sentence).toMatch(
      /within 0\.900 ms, 20\.0 kB; timed again at the end, 95 % of its calls are within 1\.25 ms, over the budget by 25 %$/,
    );
  });

  it('confirms it, but not a pick that was outside before', () => {
    expect(timedAgain(searched({ p95Ms: 1 }), latency(1))).toMatchObject({ withinBudget: true });
    const outside = timedAgain(searched({ p95Ms: 1, sizeKb: 10 }), latency(0.5));
    expect(outside).toMatchObject({ withinBudget: false, again: { withinBudget: true } });
    expect(outside.sentence).toMatch(/^none of 2 measured students is within the budget; .*, within the budget$/);
  });

  it('is shown alone where the budget has no latency', () => {
    expect(timedAgain(searched({ sizeKb: 30 }), latency(7)).sentence).toMatch(/95 % of its calls are within 7\.00 ms$/);
    expect(timedAgain(searched({ sizeKb: 30 }), undefined)).not.toHaveProperty('again');
  });
});
