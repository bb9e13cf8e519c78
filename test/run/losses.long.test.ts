import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { DIGITS, SHORT_RUN } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

describe('a run', () => {
  it.each([
    ['live answers', { distill: { ...SHORT_RUN.distill, softTargets: { store: 'live' } } }],
    ['fp32 answers', { distill: { ...SHORT_RUN.distill, softTargets: { store: 'fp32' } } }],
    [
      'mixup',
      {
        dataset: { ...DIGITS, augment: [{ mixup: 0.2 }] },
        distill: { ...SHORT_RUN.distill, softTargets: { store: 'live' } },
      },
    ],
    ['class weights', { dataset: { ...DIGITS, classWeights: 'balanced' } }],
    ['dkd', { distill: { ...SHORT_RUN.distill, loss: 'dkd' } }],
    ['dist', { distill: { ...SHORT_RUN.distill, loss: 'dist' } }],
    ['mse', { distill: { ...SHORT_RUN.distill, loss: 'mse' } }],
    ['a batch larger than the data', { distill: { ...SHORT_RUN.distill, batchSize: 5000 } }],
    [
      'hints from an inner layer',
      {
        distill: {
          ...SHORT_RUN.distill,
          loss: 'hint',
          features: [{ student: 'dense1', teacher: 'dense1' }],
          softTargets: { store: 'live' },
        },
      },
    ],
  ])('goes to its end with %s', async (_name, change) => {
    const { report } = await runRecipe(makeRecipe({ ...SHORT_RUN, ...change }, folder()), { out: folder() });
    expect(report.models.map(({ id }) => id)).toEqual(['teacher', 'scratch', 'distilled']);
    expect(report.parity.every(({ top1Agreement }) => top1Agreement === 1)).toBe(true);
    const { gain, pair } = report.verdict!;
    expect((pair!.onlyDistilled - pair!.onlyScratch) / report.dataset.samples.test).toBeCloseTo(gain, 12);
  });
});
