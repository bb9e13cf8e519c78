import { drift } from '../../../src/answers/classes/drift.ts';
import { usualAnswers } from '../../../src/measure/usual-answers.ts';

/** Logits of so many answers of each class, all equally sure. */
const answers = (...counts: number[]): Float32Array =>
  Float32Array.from(
    counts
      .flatMap((count, own) => Array.from({ length: count }, () => counts.map((_, c) => (c === own ? 4 : 0))))
      .flat(),
  );

/** Drift of the classes of a window beside 2,000 answers, of which the last two classes have 10 each. */
function driftOf(...window: number[]): number {
  const watch = drift(usualAnswers(answers(990, 990, 10, 10), 4, 'test'));
  watch.add(answers(...window));
  return watch.drift!.psi['classes']!;
}

it('classes too rare for a window to tell are counted as one', () => {
  expect(driftOf(248, 247, 2, 3)).toBe(driftOf(248, 247, 5, 0));
  expect(driftOf(248, 247, 2, 3)).toBeLessThan(0.01);
  expect(driftOf(248, 147, 50, 55)).toBeGreaterThan(0.25);
});

it('says nothing before it has seen 200 samples', () => {
  const watch = drift(usualAnswers(answers(990, 990, 10, 10), 4, 'test'));
  watch.add(answers(100, 99, 0, 0));
  expect(watch.drift).toBeUndefined();
  watch.add(answers(1, 0, 0, 0));
  expect(watch.drift).toBeDefined();
});
