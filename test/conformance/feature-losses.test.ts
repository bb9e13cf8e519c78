import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../src/base/random.ts';
import { createLoss, losses } from '../support/losses.ts';
import type { AnyLoss } from '../../src/distill/losses/registry.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { uniformNumbers } from '../../src/trace/random.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { classification } from '../../src/answers/classes/task.ts';
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

const featureLosses = (Object.keys(losses) as AnyLoss[]).filter(
  (name) => losses[name].needs === 'features' && name !== 'frs',
);
type Shapes = readonly [student: readonly number[], teacher: readonly number[]];
const shapes: readonly Shapes[] = [
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
];
/** Layers that get smaller, and the vector behind them. */
const several: readonly Shapes[] = [
  [
    [6, 6, 2],
    [5, 5, 3],
  ],
  [
    [3, 3, 4],
    [5, 5, 3],
  ],
  [[5], [4]],
];
const cases = featureLosses.flatMap((name) => {
  const all = [...shapes.map((pair) => [pair]), ...(name === 'reviewkd' ? [several] : [])];
  return all.map((pairs, i) => ({
    name,
    pairs,
    student: tensor(`student ${i}`, [BATCH, CLASSES], 2),
    teacher: tensor(`teacher ${i}`, [BATCH, CLASSES], 4),
    features: pairs.map(([student, teacher], k) => ({
      student: tensor(`student feature ${i}${k || ''}`, [BATCH, ...student], 1),
      teacher: tensor(`teacher feature ${i}${k || ''}`, [BATCH, ...teacher], 1),
    })),
  }));
});
type Case = (typeof cases)[number];

/** Rows of the batch in a training split, whose labels are those of the batch. */
const ROWS = [4, 0, 7, 2, 8, 5];
const OTHERS = [
  [1, 2],
  [3, 0],
  [6, 4],
] as const;
const SPLIT = Int32Array.from({ length: ROWS.length + OTHERS.length }, (_, row) => {
  const at = ROWS.indexOf(row);
  return at < 0 ? OTHERS.find(([other]) => other === row)![1] : LABELS[at]!;
});
const NEGATIVES = 7;

/** The loss, its gradients by the student's logits, its features and the loss' own variables, and what it remembers. */
async function ours(one: Case): Promise<{ forPython: object; loss: number; gradients: Float32Array[] }> {
  const { name, pairs, student, teacher, features } = one;
  const named = pairs.map(([studentShape, teacherShape], i) => {
    return { student: `s${i}`, teacher: `t${i}`, studentShape, teacherShape };
  });
  const remembers = name === 'crd';
  const loss = createLoss(name, {
    features: named,
    seed: 3,
    samples: { labels: SPLIT, classes: CLASSES },
    ...(remembers && { hyper: { negatives: NEGATIVES, size: 4 } }),
  });
  const memory = loss.memory ?? {};
  const variables = Object.values(loss.variables);
  const short = (key: string): string =>
    key.replace(`${name}/`, '').replace(/s(\d):t\d\//, (_, i) => (i === '0' ? '' : `${i}/`));
  const own: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries({ ...loss.variables, ...memory }))
    own[short(key)] = await variable.array();
  const float = (...shape: readonly number[]) => ({ dtype: 'float32', shape: [BATCH, ...shape] }) as const;
  const program: StepProgram = {
    feeds: {
      ...{ student: float(CLASSES), teacher: float(CLASSES), targets: float(CLASSES), weights: float() },
      ...(remembers && { rows: { dtype: 'int32', shape: [BATCH] } }),
      ...Object.fromEntries(pairs.map(([shape], i) => [`s${i}`, float(...shape)])),
      ...Object.fromEntries(pairs.map(([, shape], i) => [`t${i}`, float(...shape)])),
    },
    state: { ...loss.variables, ...memory },
    run: (feeds) => {
      const given = (letter: string): Record<string, tf.Tensor> =>
        Object.fromEntries(pairs.map((_, i) => [`${letter}${i}`, feeds[`${letter}${i}`]!]));
      const valueOf = (logits: tf.Tensor, inner: readonly tf.Tensor[]): tf.Scalar =>
        loss.compute({
          task: classification(CLASSES),
          studentLogits: logits as tf.Tensor2D,
          teacherLogits: feeds.teacher as tf.Tensor2D,
          targets: feeds.targets as tf.Tensor2D,
          weights: feeds.weights as tf.Tensor1D,
          studentFeatures: Object.fromEntries(inner.map((feature, i) => [`s${i}`, feature])),
          teacherFeatures: given('t'),
          ...(remembers && { rows: feeds.rows as tf.Tensor1D }),
          hyper: Object.fromEntries(Object.entries(loss.hyper).map(([key, value]) => [key, tf.scalar(value)])),
        }).loss;
      // One pass for all: a second one would draw other masks.
      const { value, grads } = tf.valueAndGrads((logits: tf.Tensor, ...rest: tf.Tensor[]) =>
        valueOf(logits, rest.slice(0, pairs.length)),
      )([feeds.student!, ...Object.values(given('s')), ...variables]);
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
    ...Object.fromEntries(features.map((feature, i) => [`s${i}`, feature.student.data])),
    ...Object.fromEntries(features.map((feature, i) => [`t${i}`, feature.teacher.data])),
    ...{ targets: Float32Array.from(oneHot), weights: Float32Array.from(WEIGHTS) },
    ...(remembers && { rows: Int32Array.from(ROWS) }),
  };
  // What is remembered counts from the second step on.
  const steps = remembers ? 2 : 1;
  for (let at = 0; at < steps - 1; at++) await step.run(feeds, at);
  const results = await step.run(feeds, steps - 1);
  const count = 1 + pairs.length + variables.length;
  const gradients = Array.from({ length: count }, (_, i) => (results[`g${i}`] as Float32Array).slice());
  const value = (results.value as Float32Array)[0]!;
  const after = await step.state();
  gradients.push(...Object.keys(memory).map((key) => (after.get(key)!.data as Float32Array).slice()));
  await step.dispose();
  const width = remembers ? NEGATIVES : pairs[0]![1].at(-1)!;
  const randoms = Array.from({ length: steps }, (_, at) =>
    nest(uniformNumbers(BATCH * width, ...KEY, at, 'random/0'), [BATCH, width]),
  );
  const forPython = {
    ...{ feature: name, labels: LABELS, weights: WEIGHTS, hyper: loss.hyper },
    ...{ student: student.nested, teacher: teacher.nested },
    studentFeatures: features.map((feature) => feature.student.nested),
    teacherFeatures: features.map((feature) => feature.teacher.nested),
    ...{ rows: ROWS, split: [...SPLIT], memory: Object.keys(memory).map(short) },
    variables: own,
    ...{ random: randoms[0], randoms },
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
