import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { usualNumbers } from '../../src/distill/losses/registry.ts';
import { createLoss, losses } from '../support/losses.ts';
import type { AnyLoss } from '../../src/distill/losses/registry.ts';
import { NEEDS_STRONG } from '../../src/recipe/schema/loss.ts';
import { isLossFor } from '../../src/recipe/task.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import type { OptimizerConfig } from '../../src/train/optimizers/optimizers.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { runPython } from './python.ts';

const BATCH = 7;
const CLASSES = 5;

beforeAll(() => useLazyBackend(evaluator));

function python<T>(cases: readonly object[]): T[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    return runPython('losses_check.py', folder) as T[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function normals(key: string, rows: number, columns: number, scale = 1): number[][] {
  const random = new RandomStream('conformance', key);
  return Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => Math.fround(random.normal() * scale)),
  );
}

/** Largest difference relative to the largest value. */
function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs), 1e-6);
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / scale;
}

interface LossCase {
  readonly loss: AnyLoss;
  readonly student: number[][];
  readonly teacher: number[][];
  readonly labels: number[];
  readonly weights: number[];
  readonly hyper: Readonly<Record<string, number>>;
}

const logitLosses = (Object.keys(losses) as AnyLoss[])
  // A loss of two views of each sample has a test of its own, `views-loss.test.ts`.
  .filter((name) => losses[name].needs !== 'features' && !NEEDS_STRONG.has(name))
  .filter((name) => name === 'ce' || isLossFor(name, 'classification'));
const settings = [{}, { temperature: 1 }, { temperature: 20, alpha: 0.5 }, { labelSmoothing: 0.1, alpha: 0.3 }];
const lossCases: LossCase[] = logitLosses.flatMap((loss) =>
  settings.map((setting, i) => {
    const defaults = usualNumbers(loss);
    const known = Object.entries(setting).filter(([key]) => key in defaults);
    return {
      loss,
      student: normals(`student ${i}`, BATCH, CLASSES, 2),
      teacher: normals(`teacher ${i}`, BATCH, CLASSES, 4),
      labels: Array.from({ length: BATCH }, (_, row) => (row * 3 + i) % CLASSES),
      weights: Array.from({ length: BATCH }, (_, row) => (i % 2 === 0 ? 1 : 0.5 + (row % 3))),
      hyper: { ...defaults, ...Object.fromEntries(known) },
    };
  }),
);

/** Value and gradient by the student's logits, computed in ONNX Runtime. */
async function ours({
  loss: name,
  student,
  teacher,
  labels,
  weights,
  hyper,
}: LossCase): Promise<[number, Float32Array]> {
  const loss = createLoss(name, { hyper });
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const logits = { dtype: 'float32', shape: [BATCH, CLASSES] } as const;
  const step = await engine.compile({
    feeds: { student: logits, teacher: logits, targets: logits, weights: { dtype: 'float32', shape: [BATCH] } },
    state: {},
    run: ({ student, teacher, targets, weights }) => {
      const valueOf = (s: tf.Tensor): tf.Scalar =>
        loss.compute({
          task: classification(CLASSES),
          studentLogits: s as tf.Tensor2D,
          teacherLogits: teacher as tf.Tensor2D,
          targets: targets as tf.Tensor2D,
          weights: weights as tf.Tensor1D,
          studentFeatures: {},
          teacherFeatures: {},
          hyper: Object.fromEntries(Object.entries(hyper).map(([key, value]) => [key, tf.scalar(value)])),
        }).loss;
      const { value, grad } = tf.valueAndGrad(valueOf)(student!);
      return { value, grad };
    },
  });
  const oneHot = labels.flatMap((label) => Array.from({ length: CLASSES }, (_, k) => (k === label ? 1 : 0)));
  const { value, grad } = await step.run({
    student: Float32Array.from(student.flat()),
    teacher: Float32Array.from(teacher.flat()),
    targets: Float32Array.from(oneHot),
    weights: Float32Array.from(weights),
  });
  const results: [number, Float32Array] = [(value as Float32Array)[0]!, (grad as Float32Array).slice()];
  await step.dispose();
  return results;
}

it('losses and their gradients are those of PyTorch in double precision', async () => {
  const expected = python<{ loss: number; gradient: number[] }>(lossCases);
  expect(expected).toHaveLength(lossCases.length);
  for (const [i, one] of lossCases.entries()) {
    const [value, gradient] = await ours(one);
    const worst = Math.max(difference([value], [expected[i]!.loss]), difference(gradient, expected[i]!.gradient));
    if (!(worst < 1e-4)) throw new Error(`${one.loss} ${JSON.stringify(one.hyper)} differs by ${worst}`);
  }
});

const optimizers: OptimizerConfig[] = [
  { type: 'sgd' },
  { type: 'sgd', weightDecay: 0.01 },
  { type: 'momentum', clipNorm: 1 },
  { type: 'nesterov', weightDecay: 0.01 },
  { type: 'adam' },
  { type: 'adam', weightDecay: 0.01, clipNorm: 0.5 },
  { type: 'adamw', weightDecay: 0.1 },
];
const optimizerCase = (optimizer: OptimizerConfig, rows = 3, columns = 2) => ({
  optimizer,
  weight: normals('weight', rows, columns),
  x: normals('x', 6, rows),
  y: normals('y', 6, columns),
  // A warm-up: the learning rate must take effect in the step that it is fed to.
  learningRates: Array.from({ length: 20 }, (_, step) => 0.02 * Math.min(1, (step + 1) / 5)),
});
const optimizerCases = [
  ...optimizers.map((optimizer) => optimizerCase(optimizer)),
  // PyTorch's Muon is for matrices, ours for filters: more rows than columns, and fewer.
  optimizerCase({ type: 'muon' }, 5, 3),
  optimizerCase({ type: 'muon', beta1: 0.95, weightDecay: 0.1 }, 3, 5),
];

it('twenty steps of each optimizer are those of PyTorch', async () => {
  const expected = python<{ weight: number[] }>(optimizerCases);
  for (const [i, { optimizer: config, weight, x, y, learningRates }] of optimizerCases.entries()) {
    const matrix = tf.tensor2d(weight);
    const [rows, columns] = matrix.shape;
    const variable = tf.variable<tf.Rank>(config.type === 'muon' ? tf.reshape(matrix, [1, 1, rows, columns]) : matrix);
    const optimizer = createOptimizer(config, { weight: variable });
    const step = await createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }).compile({
      feeds: {
        x: { dtype: 'float32', shape: [6, rows] },
        y: { dtype: 'float32', shape: [6, columns] },
        ...optimizer.feeds,
      },
      state: { weight: variable, ...optimizer.slots },
      run: (feeds) => {
        const error = (): tf.Scalar => {
          const guess = tf.matMul(feeds.x as tf.Tensor2D, tf.reshape<tf.Rank.R2>(variable, [rows, columns]));
          return tf.div(tf.sum(tf.squaredDifference(guess, feeds.y!)), 2);
        };
        const { value, grads } = tf.variableGrads(error, [variable]);
        optimizer.apply({ weight: grads[variable.name]! }, feeds);
        return { value };
      },
    });
    const data = { x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat()) };
    for (const [at, rate] of learningRates.entries()) await step.run({ ...data, ...optimizer.feedValues(at, rate) });
    const result = (await step.state()).get('weight')!.data as Float32Array;
    const worst = difference(result, expected[i]!.weight);
    if (!(worst < 1e-5)) throw new Error(`${JSON.stringify(config)} differs by ${worst}`);
    await step.dispose();
  }
});
