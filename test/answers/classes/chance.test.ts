import { beatsChance } from '../../../src/tasks/classification/chance.ts';
import { RandomStream } from '../../../src/base/random.ts';

/** Logits that answer with these classes. */
function logitsOf(answers: readonly number[], classes: number): Float32Array {
  return Float32Array.from({ length: answers.length * classes }, (_, i) =>
    answers[Math.floor(i / classes)] === i % classes ? 1 : 0,
  );
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('better than chance', () => {
  const rare = range(200).map((i) => (i % 50 === 0 ? 1 : 0));

  it('is a teacher that finds the rare class, where the frequent one alone is nearly always right', () => {
    expect(beatsChance(logitsOf(rare, 2), rare, 2)).toBe(true);
    const missesOne = rare.map((label, i) => (i === 0 ? 0 : label));
    expect(beatsChance(logitsOf(missesOne, 2), rare, 2)).toBe(true);
  });

  it('is a teacher without a mistake on a handful of samples', () => {
    expect(beatsChance(logitsOf([0, 1, 0, 1], 2), [0, 1, 0, 1], 2)).toBe(true);
  });

  it('is a teacher that says a class seldom, and is right then, but not one that guesses as seldom', () => {
    const labels = range(200).map((i) => i % 2);
    const seldom = (isSaid: (i: number) => boolean): Float32Array =>
      logitsOf(
        range(200).map((i) => Number(isSaid(i))),
        2,
      );
    // Recalls of 1 and 0.2: 0.2 above those of guesses, whose deviation is √(2 · 0.9 · 0.1 / 100) = 0.042.
    expect(
      beatsChance(
        seldom((i) => i < 40 && i % 2 === 1),
        labels,
        2,
      ),
    ).toBe(true);
    expect(
      beatsChance(
        seldom((i) => i < 20),
        labels,
        2,
      ),
    ).toBe(false);
  });

  it('is neither one class for all nor a guess', () => {
    const random = new RandomStream('guesses');
    for (const classes of [2, 3, 10, 100]) {
      const labels = range(1000).map(() => random.below(classes));
      expect(beatsChance(logitsOf(new Array<number>(1000).fill(0), classes), labels, classes)).toBe(false);
      const guesses = labels.map(() => random.below(classes));
      expect(beatsChance(logitsOf(guesses, classes), labels, classes)).toBe(false);
    }
    expect(beatsChance(logitsOf(new Array<number>(200).fill(0), 2), rare, 2)).toBe(false);
  });

  it('is a binary teacher that is right in two of three', () => {
    const labels = range(300).map((i) => i % 2);
    const answers = labels.map((label, i) => (i % 3 === 0 ? 1 - label : label));
    expect(beatsChance(logitsOf(answers, 2), labels, 2)).toBe(true);
  });
});
