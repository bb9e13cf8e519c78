import { classesOf, isWorse, perClassOf, surest } from '../../../src/tasks/classification/classes.ts';

it('counts right answers class by class', () => {
  const labels = Int32Array.of(0, 0, 2, 2, 2);
  expect(perClassOf(Int32Array.of(0, 1, 2, 2, 0), labels, 3)).toEqual({ samples: [2, 0, 3], right: [1, 0, 2] });
});

it('gives the first class of equal logits', () => {
  expect(classesOf(Float32Array.of(1, 1, 0, 0, 2, 2), 3)).toEqual(Int32Array.of(0, 1));
});

it('gives the class of a row with its softmax probability, however large the logits are', () => {
  const { best, probability } = surest([9, 9, 1000, 1001, 998], 2, 3);
  expect(best).toBe(1);
  expect(probability).toBeCloseTo(1 / (1 + Math.exp(-1) + Math.exp(-3)), 12);
});

it('is worse by more than chance from six samples on that it alone has wrong: (6 - 1)² / 6 is above 1.96²', () => {
  const right = Array.from({ length: 20 }, () => true);
  const without = (count: number): boolean[] => right.map((_, i) => i >= count);
  expect([5, 6].map((count) => isWorse(without(count), right))).toEqual([false, true]);
  expect(isWorse(right, without(6))).toBe(false);
});
