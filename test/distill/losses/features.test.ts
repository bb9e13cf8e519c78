import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../../src/base/errors.ts';
import { createLoss } from '../../support/losses.ts';
import type { AnyLoss } from '../../../src/distill/losses/registry.ts';
import type { FeaturePair, Loss, LossInput } from '../../../src/train/step/loss.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const pair = (studentShape: number[], teacherShape: number[]): FeaturePair => ({
  student: 'a',
  teacher: 'b',
  studentShape,
  teacherShape,
});
const values = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.3 * i) + 0.2),
    shape,
  );

function inputFor(loss: Loss, { studentShape, teacherShape }: FeaturePair, weights = [1, 1]): LossInput {
  const logits = tf.tensor2d([1, 2, 3, 0, 0, 1], [2, 3]);
  return {
    task: classification(3),
    studentLogits: logits,
    teacherLogits: logits,
    targets: tf.tensor2d([1, 0, 0, 0, 1, 0], [2, 3]),
    weights: tf.tensor1d(weights),
    studentFeatures: { a: values([2, ...studentShape], 1) },
    teacherFeatures: { b: values([2, ...teacherShape], 5) },
    hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
  };
}

/** The feature term alone: with alpha 1 and equal logits there is nothing else. */
function term(name: AnyLoss, of: FeaturePair, weights?: number[]): { value: number; loss: Loss; input: LossInput } {
  const loss = createLoss(name, { features: [of], hyper: { alpha: 1, featureWeight: 2 }, seed: 3 });
  const input = inputFor(loss, of, weights);
  const { loss: total, parts } = loss.compute(input);
  const part = parts[name]!.dataSync()[0]!;
  expect(total.dataSync()[0]).toBeCloseTo(2 * part, 4);
  return { value: part, loss, input };
}

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** [position][channel] of one sample, averaged over windows of 2 × 2 when `pool` is set. */
function pixels(tensor: tf.Tensor, sample: number, pool = false): number[][] {
  const picture = (tensor.arraySync() as number[][][][])[sample]!;
  if (!pool) return picture.flat();
  const out: number[][] = [];
  for (let r = 0; r < picture.length; r += 2) {
    for (let c = 0; c < picture[0]!.length; c += 2) {
      const window = [picture[r]![c]!, picture[r]![c + 1]!, picture[r + 1]![c]!, picture[r + 1]![c + 1]!];
      out.push(window[0]!.map((_, k) => mean(window.map((pixel) => pixel[k]!))));
    }
  }
  return out;
}

describe('hint', () => {
  function expected({ loss, input }: { loss: Loss; input: LossInput }, pool: boolean, sample: number): number {
    const kernel = loss.variables['hint/a:b/kernel']!.arraySync() as number[][];
    const bias = loss.variables['hint/a:b/bias']!.arraySync() as number[];
    const student = pixels(input.studentFeatures['a']!, sample, pool);
    const teacher = pixels(input.teacherFeatures['b']!, sample);
    const squares = teacher.flatMap((pixel, p) =>
      pixel.map((value, c) => {
        const mapped = student[p]!.reduce((total, v, k) => total + v * kernel[k]![c]!, bias[c]!);
        return (mapped - value) ** 2;
      }),
    );
    return mean(squares);
  }

  it('is the mean square between regressed and teacher features', () => {
    const result = term('hint', pair([2, 2, 3], [2, 2, 4]));
    expect(result.value).toBeCloseTo(mean([0, 1].map((sample) => expected(result, false, sample))), 5);
  });

  it('averages the larger picture and weighs samples', () => {
    const result = term('hint', pair([4, 4, 3], [2, 2, 4]), [3, 1]);
    const [a, b] = [0, 1].map((sample) => expected(result, true, sample)) as [number, number];
    expect(result.value).toBeCloseTo((3 * a + b) / 4, 5);
  });

  it('trains its regressor: the gradient reaches both its variables', () => {
    const { loss, input } = term('hint', pair([5], [4]));
    const { grads } = tf.variableGrads(() => loss.compute(input).loss, Object.values(loss.variables));
    expect(Object.values(grads)).toHaveLength(2);
    for (const gradient of Object.values(grads)) expect(Math.max(...tf.abs(gradient).dataSync())).toBeGreaterThan(1e-3);
  });

  it('draws the same regressor from the same seed', () => {
    const kernel = (seed: number): number[] => {
      const loss = createLoss('hint', { features: [pair([5], [4])], seed });
      return [...loss.variables['hint/a:b/kernel']!.dataSync()];
    };
    expect(kernel(1)).toEqual(kernel(1));
    expect(kernel(1)).not.toEqual(kernel(2));
  });
});

describe('attention', () => {
  function map(positions: number[][]): number[] {
    const energy = positions.map((pixel) => mean(pixel.map((v) => v * v)));
    const norm = Math.hypot(...energy);
    return energy.map((v) => v / norm);
  }

  it.each([
    ['equal sizes', pair([3, 2, 3], [3, 2, 5]), false],
    ['a larger student', pair([4, 4, 3], [2, 2, 5]), true],
  ])('is the mean square between normalized energy maps: %s', (_, of, pool) => {
    const { value, input } = term('attention', of, [1, 3]);
    const [a, b] = [0, 1].map((sample) => {
      const student = map(pixels(input.studentFeatures['a']!, sample, pool));
      const teacher = map(pixels(input.teacherFeatures['b']!, sample));
      return mean(student.map((v, i) => (v - teacher[i]!) ** 2));
    }) as [number, number];
    expect(value).toBeCloseTo((a + 3 * b) / 4, 6);
  });

  it('stays finite when a layer is silent', () => {
    const { loss, input } = term('attention', pair([2, 2, 3], [2, 2, 3]));
    const gradient = tf.grad((a: tf.Tensor) => loss.compute({ ...input, studentFeatures: { a } }).loss);
    expect([...gradient(tf.zeros([2, 2, 2, 3])).dataSync()].every(Number.isFinite)).toBe(true);
  });
});

describe.each(['hint', 'attention', 'pkd', 'cwd', 'mgd'] as const)('%s refuses', (name) => {
  const message = (features: FeaturePair[]): string => {
    try {
      createLoss(name, { features });
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  it('to work without features', () => {
    expect(message([])).toBe(`distill.loss: ${name} compares intermediate tensors, and none are named`);
  });

  it('pictures that do not fit', () => {
    expect(message([pair([7, 7, 4], [3, 3, 8])])).toBe(
      `distill.loss: ${name} cannot compare a [7, 7, 4] of the student with b [3, 3, 8] of the teacher`,
    );
  });
});

describe.each([
  ['cwd', 'compares places of a layer', 'has none'],
  ['mgd', 'generates pictures', 'is none'],
] as const)('%s refuses', (name, what, fact) => {
  it('vectors', () => {
    expect(() => createLoss(name, { features: [pair([5], [4])] })).toThrow(
      `distill.loss: ${name} ${what}, and a [5] of the student ${fact}`,
    );
  });
});
