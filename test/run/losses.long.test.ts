import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

const BASE = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 2, batchSize: 128 } },
  student: { model: 'mlp', hidden: [8] },
  distill: { epochs: 2, batchSize: 128 },
  ...QUICK,
};

describe('a run', () => {
  it.each([
    ['live answers', { distill: { ...BASE.distill, softTargets: { store: 'live' } } }],
    ['fp32 answers', { distill: { ...BASE.distill, softTargets: { store: 'fp32' } } }],
    [
      'mixup',
      {
        dataset: { ...DIGITS, augment: [{ mixup: 0.2 }] },
        distill: { ...BASE.distill, softTargets: { store: 'live' } },
      },
    ],
    ['class weights', { dataset: { ...DIGITS, classWeights: 'balanced' } }],
    ['dkd', { distill: { ...BASE.distill, loss: 'dkd' } }],
    ['dist', { distill: { ...BASE.distill, loss: 'dist' } }],
    ['mse', { distill: { ...BASE.distill, loss: 'mse' } }],
    ['a batch larger than the data', { distill: { ...BASE.distill, batchSize: 5000 } }],
    [
      'hints from an inner layer',
      {
        distill: {
          ...BASE.distill,
          loss: 'hint',
          features: [{ student: 'dense1', teacher: 'dense1' }],
          softTargets: { store: 'live' },
        },
      },
    ],
  ])('goes to its end with %s', async (_name, change) => {
    const { report } = await runRecipe(makeRecipe({ ...BASE, ...change }, folder()), { out: folder() });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'scratch', 'distilled']);
    expect(report.parity.every(({ top1Agreement }) => top1Agreement === 1)).toBe(true);
    const { gain, pair } = report.verdict!;
    expect((pair!.onlyDistilled - pair!.onlyScratch) / report.dataset.samples.test).toBeCloseTo(gain, 12);
  });
});
