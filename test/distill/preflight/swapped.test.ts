import { RandomStream } from '../../../src/base/random.ts';
import { preflight } from '../../../src/distill/preflight/preflight.ts';
import { swappedPairs } from '../../../src/distill/preflight/swapped.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { pictures } from '../../support/dataset.ts';
import '../../support/tasks.ts';

const namesOf = (classes: number): string[] => Array.from({ length: classes }, (_, i) => `c${i}`);

/** A column for each label: how often which class is answered. */
type Habits = readonly (readonly number[])[];

/** Right with the probability given, and each wrong class by its own share of the rest. */
function habitsOf(random: RandomStream, classes: number, right: number): Habits {
  return Array.from({ length: classes }, (_, label) => {
    const shares = Array.from({ length: classes }, (_, i) => (i === label ? 0 : 0.1 + random.uniform()));
    const sum = shares.reduce((a, b) => a + b);
    return shares.map((share, i) => (i === label ? right : ((1 - right) * share) / sum));
  });
}

/**
 * What a weak linear classifier answers: classes lie at random in a space of few dimensions, some of them close together,
 * its weights are where they lie but for an error, and it prefers some classes whatever it sees.
 */
function weakAnswers(random: RandomStream, labels: Int32Array, classes: number): Int32Array {
  const vector = (length: number): number[] => Array.from({ length }, () => random.normal());
  const dimensions = 1 + random.below(8);
  const centres = Array.from({ length: classes }, () => vector(dimensions));
  const error = 0.3 * random.uniform();
  const weights = centres.map((centre) => centre.map((value) => value + error * random.normal()));
  const [noise, preference] = [0.5 + 4 * random.uniform(), random.uniform()];
  const bias = centres.map((centre) => preference * random.normal() - 0.5 * centre.reduce((sum, v) => sum + v * v, 0));
  return labels.map((label) => {
    const x = centres[label]!.map((value) => value + noise * random.normal());
    const logits = weights.map((weight, k) => weight.reduce((sum, w, i) => sum + w * x[i]!, bias[k]!));
    return logits.indexOf(Math.max(...logits));
  });
}

function draw(random: RandomStream, shares: readonly number[]): number {
  let left = random.uniform() * shares.reduce((a, b) => a + b);
  const at = shares.findIndex((share) => (left -= share) < 0);
  return at < 0 ? shares.length - 1 : at;
}

function ask(random: RandomStream, habits: Habits, labels: Int32Array): Int32Array {
  return labels.map((label) => draw(random, habits[label]!));
}

const even = (samples: number, classes: number): Int32Array =>
  Int32Array.from({ length: samples }, (_, i) => i % classes);

const swapped = (answers: Int32Array, a: number, b: number): Int32Array =>
  answers.map((answer) => (answer === a ? b : answer === b ? a : answer));

describe('two classes changed over', () => {
  it.each([0.95, 0.8, 0.6, 0.4])('are found, each pair of ten, in a teacher right on %s', (accuracy) => {
    const random = new RandomStream('swapped', accuracy);
    const [labels, names] = [even(1000, 10), namesOf(10)];
    for (let a = 0; a < 10; a++) {
      for (let b = a + 1; b < 10; b++) {
        const answers = ask(random, habitsOf(random, 10, accuracy), labels);
        const found = swappedPairs(swapped(answers, a, b), labels, names)!;
        expect(found.classes).toEqual(names.map((name, i) => (i === a ? names[b] : i === b ? names[a] : name)));
        expect(found.accuracy).toBe(answers.filter((answer, i) => answer === labels[i]).length / 1000);
      }
    }
  });

  it('are found twice in one teacher, in few samples, and among a hundred classes', () => {
    const random = new RandomStream('more');
    const twice = ask(random, habitsOf(random, 10, 0.7), even(1000, 10));
    const found = swappedPairs(swapped(swapped(twice, 1, 7), 3, 4), even(1000, 10), namesOf(10));
    expect(found?.classes.join(' ')).toBe('c0 c7 c2 c4 c3 c5 c6 c1 c8 c9');
    const few = ask(random, habitsOf(random, 10, 0.9), even(200, 10));
    expect(swappedPairs(swapped(few, 2, 5), even(200, 10), namesOf(10))?.classes[2]).toBe('c5');
    const many = ask(random, habitsOf(random, 100, 0.75), even(2000, 100));
    expect(swappedPairs(swapped(many, 20, 90), even(2000, 100), namesOf(100))?.classes[20]).toBe('c90');
  });

  it('are not seen in two thousand weak teachers whose classes are in their place', () => {
    const random = new RandomStream('honest');
    let [alarms, weak] = [0, 0];
    for (let n = 0; n < 2000; n++) {
      const classes = [2, 3, 10, 30][n % 4]!;
      // In some data sets classes are rare.
      const shares = Array.from({ length: classes }, () => (n % 3 === 0 ? 0.02 + random.uniform() ** 3 : 1));
      const labels = Int32Array.from({ length: 400 }, () => draw(random, shares));
      const answers = weakAnswers(random, labels, classes);
      if (answers.filter((answer, i) => answer === labels[i]).length < 200) weak++;
      if (swappedPairs(answers, labels, namesOf(classes)) !== undefined) alarms++;
    }
    expect(weak).toBeGreaterThan(1000);
    expect(alarms).toBeLessThanOrEqual(2);
  });

  it('are not seen where one of them is much rarer and hardly ever answered, or the rarer one answers for both', () => {
    const labels = Int32Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 0 : 1));
    // Nearly always the rare class: the exchange would be right nine times as often.
    const answers = labels.map((label, i) => (label === 0 || i % 3 > 0 ? 0 : 1));
    expect(swappedPairs(answers, labels, namesOf(2))).toBeUndefined();
    expect(swappedPairs(new Int32Array(1000), labels, namesOf(2))).toBeUndefined();
  });

  it('stop a run before it begins, and the order to set is that of the file', async () => {
    const classNames = namesOf(10);
    const base = pictures(500);
    const dataset = { ...base, classNames, targets: even(500, 10) };
    // In the order of the data set, as it is read with the `classes` of the recipe.
    const declared = [...classNames].reverse();
    const truth = ask(new RandomStream('file'), habitsOf(new RandomStream('habits'), 10, 0.7), dataset.targets);
    const given = swapped(truth, 3, 5);
    let asked = 0;
    const teacher: Teacher = {
      ...{ name: 't.onnx', key: '', classes: 10, featureShapes: {}, params: 1, sizeBytes: 1, device: 'cpu' },
      answer: (_x, n) => {
        const rows = given.subarray(asked, (asked += n));
        const logits = Float32Array.from({ length: 10 * n }, (_, i) =>
          rows[Math.floor(i / 10)] === i % 10 ? 9 : i % 7,
        );
        return Promise.resolve({ logits, features: {} });
      },
      dispose: () => Promise.resolve(),
    };
    await expect(preflight(teacher, dataset, { declared })).rejects.toMatchObject({
      message: expect.stringMatching(
        /right on 5\d\.\d % of 500 .*in another order it is right on [67]\d\.\d %: what it calls c3 is c5, what it calls c5 is c3/,
      ) as string,
      hint: 'Set `teacher` to use classes: [c9, c8, c7, c6, c3, c4, c5, c2, c1, c0]. If its settings are right, confirm them with `teacher.confirmed: true`.',
    });
  });
});
