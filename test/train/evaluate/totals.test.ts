import { classification } from '../../../src/answers/classes/task.ts';
import { addedTotals, scoreOfTotals, totalsOf } from '../../../src/train/evaluate/totals.ts';

const NOW = { loss: 3, sums: { correct: 6 }, weight: 8, samples: 10 };

it('samples that are scored are counted beside those that are not, where one of two says so', () => {
  const some = { ...NOW, scored: 3 };
  expect([addedTotals(NOW, some).scored, addedTotals(some, NOW).scored, addedTotals(NOW, NOW).scored]).toEqual([
    11,
    11,
    undefined,
  ]);
  expect(scoreOfTotals(addedTotals(NOW, some), classification(2))).toBe(12 / 11);
});

it('totals of a state saved before there were tasks are added to as if they were of this version', () => {
  const { sums, ...rest } = NOW;
  const before = totalsOf({ ...rest, ...sums });
  expect(before).toEqual(NOW);
  expect(
    scoreOfTotals(addedTotals(before, { loss: 1, sums: { correct: 2 }, weight: 2, samples: 2 }), classification(2)),
  ).toBe(0.8);
  expect(totalsOf(NOW)).toEqual(NOW);
});
