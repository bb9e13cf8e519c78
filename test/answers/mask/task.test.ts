import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { IGNORED } from '../../../src/data/targets/ignored.ts';
import { masksOf, resizedLogits } from '../../../src/answers/mask/masks.ts';
import { sharesOfCells } from '../../../src/answers/mask/shares.ts';
import { segmentation } from '../../../src/answers/mask/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const NAMES = ['sky', 'road', 'car'];
const [HEIGHT, WIDTH, STRIDE, N] = [8, 12, 4, 5];
const [ROWS, COLUMNS, CLASSES] = [HEIGHT / STRIDE, WIDTH / STRIDE, NAMES.length];
const GRID = { rows: ROWS, columns: COLUMNS, classes: CLASSES, stride: STRIDE };
const task = segmentation({ classNames: NAMES, sampleShape: [HEIGHT, WIDTH, 3], stride: STRIDE });

const random = new RandomStream('masks');
/** Blobs, some pixels without a class, and one sample without a car. */
const TARGETS = Uint8Array.from({ length: N * HEIGHT * WIDTH }, (_, at) => {
  const [y, x] = [Math.floor(at / WIDTH) % HEIGHT, at % WIDTH];
  const sample = Math.floor(at / (WIDTH * HEIGHT));
  if ((x * 7 + y * 3 + sample) % 11 === 0) return IGNORED;
  return y < 3 + sample ? 0 : sample > 0 && x > 6 ? 2 : 1;
});
const ANSWERS = Float32Array.from({ length: N * ROWS * COLUMNS * CLASSES }, () => 2 * random.uniform() - 1);

const answers = (): tf.Tensor2D => tf.tensor2d(ANSWERS, [N, task.width]);
const labels = (): tf.Tensor2D => tf.tensor2d(Int32Array.from(TARGETS), [N, HEIGHT * WIDTH], 'int32');
const soft = (): tf.Tensor2D => tf.tensor2d(sharesOfCells(TARGETS, GRID), [N, task.width]);
const numbers = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

/** Mean IoU counted pixel by pixel, with sets. */
function counted(masks: ArrayLike<number>): number {
  const ious = NAMES.flatMap((_, c) => {
    let [both, either] = [0, 0];
    TARGETS.forEach((truth, at) => {
      if (truth === IGNORED) return;
      if (truth === c && masks[at] === c) both++;
      if (truth === c || masks[at] === c) either++;
    });
    return either === 0 ? [] : [both / either];
  });
  return ious.reduce((sum, iou) => sum + iou, 0) / ious.length;
}

describe('masks of answers', () => {
  it('are those of the logits resized by tf.image.resizeBilinear between the centres of cells', () => {
    const grid = tf.reshape<tf.Rank.R4>(answers(), [N, ROWS, COLUMNS, CLASSES]);
    const large = tf.image.resizeBilinear(grid, [HEIGHT, WIDTH], false, true);
    expect([...masksOf(ANSWERS, GRID)]).toEqual(numbers(tf.argMax(large, -1)));
  });

  it.each([
    [5, 7],
    [2, 2],
    [ROWS, COLUMNS],
  ])('of a file with another grid come from logits resized to %i×%i as tf.image does', (rows, columns) => {
    const grid = tf.reshape<tf.Rank.R4>(answers(), [N, ROWS, COLUMNS, CLASSES]);
    const expected = numbers(tf.image.resizeBilinear(grid, [rows, columns], false, true));
    const found = resizedLogits(ANSWERS, [ROWS, COLUMNS, CLASSES], [rows, columns]);
    expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
    expect(found).toHaveLength(expected.length);
  });

  it('have the first class of equal logits', () => {
    expect(new Set(masksOf(new Float32Array(task.width), GRID))).toEqual(new Set([0]));
  });
});

describe('weights of classes', () => {
  const pixelWeights = Float32Array.of(0.5, 2, 0);
  const weighed = segmentation({ classNames: NAMES, sampleShape: [HEIGHT, WIDTH, 3], stride: STRIDE, pixelWeights });

  it('weigh each pixel by its class, in masks as in shares of cells', () => {
    const weights = [...weighed.weightOf!(TARGETS)];
    const expected = Array.from({ length: N }, (_, n) => {
      const own = [...TARGETS.subarray(n * HEIGHT * WIDTH, (n + 1) * HEIGHT * WIDTH)];
      return own.reduce((sum, value) => sum + (pixelWeights[value] ?? 0), 0) / own.length;
    });
    weights.forEach((weight, i) => expect(weight).toBeCloseTo(expected[i]!, 5));
    const { rows } = weighed;
    const [hard, softly] = [labels(), soft()].map((targets) => rows!.weights(tf.tensor1d(weights), targets));
    expect(numbers(tf.sum(softly!))[0]).toBeCloseTo(
      weights.reduce((sum, weight) => sum + weight, 0),
      4,
    );
    const other = numbers(softly!);
    numbers(hard!).forEach((weight, i) => expect(weight).toBeCloseTo(other[i]!, 5));
  });

  it('leave a picture without a mask the weight 1, which its cells share', () => {
    const none = new Uint8Array(N * HEIGHT * WIDTH).fill(2);
    expect([...weighed.weightOf!(none, new Float32Array(N))]).toEqual(new Array(N).fill(1));
    const targets = tf.tensor2d(Int32Array.from(none), [N, HEIGHT * WIDTH], 'int32');
    const cells = ROWS * COLUMNS;
    numbers(weighed.rows!.weights(tf.ones([N]), targets)).forEach((weight) => expect(weight).toBeCloseTo(1 / cells, 6));
  });

  it('do not change the Dice loss', () => {
    const losses = [task, weighed].map(({ rows, batchLoss, weightOf }) => {
      const masks = TARGETS.map((value) => (value === 2 ? IGNORED : value));
      const targets = tf.tensor2d(sharesOfCells(masks, GRID), [N, task.width]);
      const weights = rows!.weights(tf.tensor1d(weightOf!(masks)), targets);
      return numbers(batchLoss!(rows!.of(answers()), rows!.targets!(targets, answers()), weights, { dice: tf.scalar(1) })!)[0]!; // prettier-ignore
    });
    expect(losses[0]).toBeGreaterThan(0.1);
    expect(losses[1]).toBeCloseTo(losses[0]!, 5);
  });
});

describe('shares of a cell', () => {
  it('count the pixels of each class, and none without a class', () => {
    const shares = sharesOfCells(TARGETS, GRID);
    const cell = shares.slice(0, CLASSES);
    const counts = [0, 0, 0];
    for (let y = 0; y < STRIDE; y++)
      for (let x = 0; x < STRIDE; x++) {
        const value = TARGETS[y * WIDTH + x]!;
        if (value !== IGNORED) counts[value]!++;
      }
    expect([...cell]).toEqual(counts.map((count) => count / STRIDE ** 2));
  });

  it('are the same in the graph, from masks', () => {
    const { targets } = task.rows!;
    // Shares do not depend on the answers.
    const none = tf.zeros<tf.Rank.R2>([0, 0]);
    const [inGraph, fed] = [numbers(targets!(labels(), none)), numbers(targets!(soft(), none))];
    inGraph.forEach((value, i) => expect(value).toBeCloseTo(fed[i]!, 6));
    expect(Math.max(...fed)).toBeGreaterThan(0.5);
  });
});

describe('the weights of rows', () => {
  it('are those of the labelled pixels of each cell, and sum to the weight of the sample', () => {
    const weights = task.weightOf!(TARGETS);
    const rows = numbers(task.rows!.weights(tf.tensor1d(weights), soft()));
    for (let sample = 0; sample < N; sample++) {
      const own = rows.slice(sample * ROWS * COLUMNS, (sample + 1) * ROWS * COLUMNS);
      expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(weights[sample]!, 5);
    }
    expect(weights[0]).toBeLessThan(1);
  });
});

describe('the score', () => {
  it('is the mean IoU from one matrix over all pixels', () => {
    const expected = counted(masksOf(ANSWERS, GRID));
    expect(task.scoreOf(ANSWERS, TARGETS)).toBeCloseTo(expected, 12);
    expect(expected).toBeGreaterThan(0.05);
  });

  it('is the same from the sums of batches, without the samples that fill up a batch', () => {
    const all = task.sums(answers(), labels(), tf.tensor1d([1, 1, 0.5, 1, 1]));
    const sums = Object.fromEntries(Object.entries(all).map(([name, sum]) => [name, numbers(sum)[0]!]));
    expect(task.scoreOfSums(sums, N)).toBeCloseTo(task.scoreOf(ANSWERS, TARGETS), 6);
    const part = task.sums(answers(), labels(), tf.tensor1d([1, 1, 0, 0, 0]));
    const few = Object.fromEntries(Object.entries(part).map(([name, sum]) => [name, numbers(sum)[0]!]));
    const first = [ANSWERS.slice(0, 2 * task.width), TARGETS.slice(0, 2 * HEIGHT * WIDTH)] as const;
    expect(task.scoreOfSums(few, 2)).toBeCloseTo(task.scoreOf(...first), 6);
  });

  it('of a model that ignores the pictures is that of the most frequent class alone', () => {
    const counts = NAMES.map((_, c) => TARGETS.filter((value) => value === c).length);
    const most = counts.indexOf(Math.max(...counts));
    expect(task.ignorance(TARGETS)).toBeCloseTo(counted(new Uint8Array(TARGETS.length).fill(most)), 12);
  });
});

it('the report has the IoU of each class, and null for one that nothing has', () => {
  const given = Float32Array.from({ length: task.width }, (_, i) => (i % CLASSES === 0 ? 1 : 0));
  const truth = new Uint8Array(HEIGHT * WIDTH);
  const { masks } = task.describe(given, truth);
  expect(masks!.rows.map(({ iou }) => iou)).toEqual([1, null, null]);
  expect(masks).toMatchObject({ pixels: HEIGHT * WIDTH, rightPixels: 1 });
  const other = truth.map((_, at) => (at < 3 ? 1 : 0));
  expect(task.describe(given, other).masks!.counts).toEqual([[HEIGHT * WIDTH - 3, 0, 0], [3, 0, 0], [0, 0, 0]]); // prettier-ignore
});

it('answers are told by their areas', () => {
  expect(task.labelText(TARGETS, 0)).toMatch(/^road \d+\.\d %, sky \d+\.\d %$/);
});

it('a class beyond the last is refused with its pixel', () => {
  const bad = TARGETS.slice();
  bad[WIDTH + 2] = 7;
  expect(() => task.fed(bad, 'train')).toThrow(
    /^train: pixel 2, 1 of sample 0 has the class 7, and the model has the classes 0 … 2$/,
  );
});

it('is worse, better than chance, and stuck, as answers to single pixels say', () => {
  const perfect = Float32Array.from(sharesOfCells(TARGETS, GRID));
  expect(task.isWorse(ANSWERS, perfect, TARGETS)).toBe(true);
  expect(task.isWorse(perfect, ANSWERS, TARGETS)).toBe(false);
  expect(task.stuck('x.onnx', new Float32Array(N * task.width), TARGETS)).toContain(
    'gives all pixels of 5 samples the class sky',
  );
  expect(task.stuck('x.onnx', perfect, TARGETS)).toBeUndefined();
  expect([...task.disagreement(ANSWERS, ANSWERS, TARGETS)]).toEqual(new Array(N).fill(0));
});
