import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss, losses } from '../../src/distill/losses/registry.ts';
import type { AnyLoss } from '../../src/distill/losses/registry.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { uniformNumbers } from '../../src/trace/random.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { classification } from '../../src/tasks/classification.ts';
import { runPython } from './python.ts';

const BATCH = 6;
const CLASSES = 5;
const LABELS = [0, 3, 1, 4, 2, 2];
const KEY = ['feature losses'];
const WEIGHTS = [1, 0.5, 2, 1, 1.5, 0.25];

beforeAll(() => useLazyBackend(evaluator));

/** Numbers of this shape, for both sides: flat, and nested as Python wants them. */
function tensor(key: string, shape: readonly number[], scale: number): { data: Float32Array; nested: unknown } {
  const random = new RandomStream('conformance', key);
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale);
  return { data, nested: nest(data, shape) };
}

function nest(data: Float32Array, [size = 1, ...rest]: readonly number[]): unknown {
  if (rest.length === 0) return [...data];
  const step = data.length / size;
  return Array.from({ length: size }, (_, i) => nest(data.subarray(i * step, (i + 1) * step), rest));
}

function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs), 1e-6);
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / scale;
}

const featureLosses = (Object.keys(losses) as AnyLoss[]).filter((name) => losses[name].needs === 'features');
const shapes = [
  [
    [4, 4, 3],
    [2, 2, 5],
  ],
  [
    [3, 3, 2],
    [6, 6, 4],
  ],
  [
    [4, 4, 6],
    [4, 4, 6],
  ],
] as const;
const cases = featureLosses.flatMap((name) =>
  shapes.map(([studentShape, teacherShape], i) => ({
    name,
    studentShape,
    teacherShape,
    student: tensor(`student ${i}`, [BATCH, CLASSES], 2),
    teacher: tensor(`teacher ${i}`, [BATCH, CLASSES], 4),
    studentFeature: tensor(`student feature ${i}`, [BATCH, ...studentShape], 1),
    teacherFeature: tensor(`teacher feature ${i}`, [BATCH, ...teacherShape], 1),
  })),
);
type Case = (typeof cases)[number];

/** The loss, and its gradients by the student's logits, its features and the regressor's variables. */
async function ours(one: Case): Promise<{ forPython: object; loss: number; gradients: Float32Array[] }> {
  const { name, studentShape, teacherShape, student, teacher, studentFeature, teacherFeature } = one;
  const features = [{ student: 's', teacher: 't', studentShape, teacherShape }];
  const loss = createLoss(name, { features, seed: 3 });
  const variables = Object.values(loss.variables);
  const named = Object.entries(loss.variables).map(async ([key, variable]) => [
    key.replace(`${name}/s:t/`, ''),
    await variable.array(),
  ]);
  const own = Object.fromEntries(await Promise.all(named)) as Record<string, unknown>;
  const float = (...shape: number[]) => ({ dtype: 'float32', shape: [BATCH, ...shape] }) as const;
  const program: StepProgram = {
    feeds: {
      ...{ student: float(CLASSES), teacher: float(CLASSES), targets: float(CLASSES), weights: float() },
      ...{ studentFeature: float(...studentShape), teacherFeature: float(...teacherShape) },
    },
    state: loss.variables,
    run: (feeds) => {
      const valueOf = (logits: tf.Tensor, feature: tf.Tensor): tf.Scalar =>
        loss.compute({
          task: classification(CLASSES),
          studentLogits: logits as tf.Tensor2D,
          teacherLogits: feeds.teacher as tf.Tensor2D,
          targets: feeds.targets as tf.Tensor2D,
          weights: feeds.weights as tf.Tensor1D,
          studentFeatures: { s: feature },
          teacherFeatures: { t: feeds.teacherFeature! },
          hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
        }).loss;
      // One pass for all: a second one would draw other masks.
      const { value, grads } = tf.valueAndGrads((logits: tf.Tensor, feature: tf.Tensor) => valueOf(logits, feature))([
        ...[feeds.student!, feeds.studentFeature!],
        ...variables,
      ]);
      const results: Record<string, tf.Tensor> = { value };
      grads.forEach((gradient, i) => (results[`g${i}`] = gradient));
      return results;
    },
  };
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const step = await engine.compile(program, { randomKey: KEY });
  const oneHot = LABELS.flatMap((label) => Array.from({ length: CLASSES }, (_, k) => Number(k === label)));
  const feeds = {
    ...{ student: student.data, teacher: teacher.data },
    ...{ studentFeature: studentFeature.data, teacherFeature: teacherFeature.data },
    ...{ targets: Float32Array.from(oneHot), weights: Float32Array.from(WEIGHTS) },
  };
  const results = await step.run(feeds, 0);
  const gradients = Array.from({ length: 2 + variables.length }, (_, i) => (results[`g${i}`] as Float32Array).slice());
  const value = (results.value as Float32Array)[0]!;
  await step.dispose();
  const forPython = {
    ...{ feature: name, labels: LABELS, weights: WEIGHTS, hyper: loss.hyper },
    ...{ student: student.nested, teacher: teacher.nested },
    ...{ studentFeature: studentFeature.nested, teacherFeature: teacherFeature.nested },
    variables: own,
    random: nest(uniformNumbers(BATCH * teacherShape[2], ...KEY, 0, 'random/0'), [BATCH, teacherShape[2]]),
  };
  return { forPython, loss: value, gradients };
}

it('feature losses and their gradients, those of the regressor too, are those of PyTorch in double precision', async () => {
  const results = [];
  for (const one of cases) results.push(await ours(one));
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(results.map(({ forPython }) => forPython)));
  const expected = runPython('losses_check.py', folder) as { loss: number; gradients: number[][] }[];
  rmSync(folder, { recursive: true });
  for (const [i, { loss, gradients }] of results.entries()) {
    const right = expected[i]!;
    expect(gradients).toHaveLength(right.gradients.length);
    const worst = Math.max(
      difference([loss], [right.loss]),
      ...right.gradients.map((gradient, k) => difference(gradients[k]!, gradient)),
    );
    if (!(worst < 1e-4)) throw new Error(`${cases[i]!.name} ${i} differs by ${worst}`);
  }
});
