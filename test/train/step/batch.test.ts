import { NO_TAG } from '../../../src/answers/tags/labels.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { tagging } from '../../../src/answers/tags/task.ts';
import { batchFeeds, scoredWeight, totalWeight } from '../../../src/train/step/batch.ts';

const x = new Float32Array(4);

it('where nothing is said, a sample weighs 1, and a sentence as much as it has words', () => {
  const classes = { x, targets: Int32Array.of(0, 1) };
  expect(batchFeeds(classes, classification(2), 'here')['weights']).toEqual(Float32Array.of(1, 1));
  expect(totalWeight(classes, classification(2))).toBe(2);
  const task = tagging(['A', 'B'], 3);
  const sentences = { x, targets: Int32Array.of(1, NO_TAG, 0, NO_TAG, NO_TAG, 1) };
  expect(batchFeeds(sentences, task, 'here')['weights']).toEqual(Float32Array.of(2, 1));
  expect(totalWeight(sentences, task)).toBe(3);
  const weighted = { ...classes, weights: Float32Array.of(0.5, 2) };
  expect(batchFeeds(weighted, classification(2), 'here')['weights']).toEqual(weighted.weights);
  expect(totalWeight(weighted, classification(2))).toBe(2.5);
});

it('samples that are scored count by their weights', () => {
  const batch = { x, targets: Int32Array.of(0, 1, 1), weights: Float32Array.of(2, 3, 4) };
  const ones = Float32Array.of(1, 1, 1);
  const known = { label: ones, answer: ones, scored: Float32Array.of(1, 0, 1) };
  expect(scoredWeight({ ...batch, known }, classification(2))).toBe(6);
  expect(scoredWeight({ x, targets: batch.targets, known }, classification(2))).toBe(2);
  expect(scoredWeight(batch, classification(2))).toBe(9);
});
