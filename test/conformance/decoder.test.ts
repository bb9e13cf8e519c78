// Needs the feature next-token.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { NO_TOKEN } from '../../src/answers/next-token/pack.ts';
import { nextToken } from '../../src/answers/next-token/task.ts';
import { RandomStream } from '../../src/base/random.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { useCpu } from '../support/cpu.ts';
import { temporaryFolder } from '../support/folder.ts';
import { createLoss } from '../support/losses.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();
const [BATCH, LENGTH, VOCABULARY, END] = [3, 9, 13, 0];
const NUMBERS = { temperature: 2, alpha: 0.6 };

beforeAll(useCpu);

const random = new RandomStream('decoder', 'conformance');
const ids = Array.from({ length: BATCH }, () =>
  Array.from({ length: LENGTH }, (_, at) =>
    at === 0 || random.uniform() < 0.15 ? END : 1 + Math.floor(random.uniform() * 12),
  ),
);
const targets = ids.map((row, i) =>
  row.map((_, at) => (i === 2 && at > 5 ? NO_TOKEN : (row[at + 1] ?? Math.floor(random.uniform() * VOCABULARY)))),
);
const teacher = Float32Array.from({ length: BATCH * LENGTH * VOCABULARY }, () => 2 * random.normal());

const OPTIONS = [
  { size: 16, depth: 2, heads: 4, groups: 2, activation: 'swiglu' },
  { size: 12, depth: 1, heads: 2, groups: 2, activation: 'gelu' },
];

function modelOf(options: (typeof OPTIONS)[number]) {
  const tokens = { vocabulary: VOCABULARY, padding: END };
  const model = buildModel('decoder', {
    ...{ inputShape: [LENGTH], classes: VOCABULARY, seed: 5, tokens, options, answersPer: 'token' },
  });
  const { state } = layersNetwork(model);
  // Weights of the size that training gives them: those that are drawn leave the shares of attention all alike.
  for (const variable of Object.values(state))
    variable.assign(tf.add(variable, tf.tensor(normals(variable.size), variable.shape)));
  return { model, state };
}

function normals(size: number): Float32Array {
  return Float32Array.from({ length: size }, () => 0.3 * random.normal());
}

/** Largest difference relative to the largest value. */
function difference(actual: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(...expected.map(Math.abs), 1e-6);
  return Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!))) / scale;
}

it('logits, the loss from a teacher and its gradients are those of PyTorch', () => {
  const task = nextToken(
    Array.from({ length: VOCABULARY }, (_, id) => String(id)),
    LENGTH,
  );
  const loss = createLoss('kd');
  const models = OPTIONS.map(modelOf);
  const cases = models.map(({ state }, i) => {
    const weights = Object.entries(state).map(([name, variable]) => {
      return [name, { shape: variable.shape, values: [...variable.dataSync()] }] as const;
    });
    return {
      ...OPTIONS[i],
      ...NUMBERS,
      end: END,
      ids,
      targets,
      teacher: [...teacher],
      weights: Object.fromEntries(weights),
    };
  });
  writeFileSync(path.join(folder(), 'cases.json'), JSON.stringify(cases));
  const expected = runPython('decoder_check.py', folder()) as {
    readonly logits: number[];
    readonly loss: number;
    readonly gradients: Record<string, number[]>;
  }[];
  for (const [i, { model, state }] of models.entries()) {
    const x = tf.tensor2d(ids, [BATCH, LENGTH], 'int32');
    const rows = targets.flatMap((row) => [...row, 1, 1]);
    const labels = task.targets({ labels: tf.tensor2d(rows, [BATCH, LENGTH + 2], 'int32') }, 'none');
    const samples = tf.tensor1d(task.weightOf!(Int32Array.from(rows)));
    let logits: tf.Tensor2D | undefined;
    const { value, grads } = tf.variableGrads(() => {
      const answers = tf.reshape<tf.Rank.R2>(model.apply(x) as tf.Tensor, [BATCH, -1]);
      logits = tf.keep(answers.clone());
      return loss.compute({
        task,
        studentLogits: task.rows!.of(answers),
        teacherLogits: task.rows!.of(tf.tensor2d(teacher, [BATCH, LENGTH * VOCABULARY])),
        targets: task.rows!.targets!(labels, answers),
        weights: task.rows!.weights(samples, labels),
        studentFeatures: {},
        teacherFeatures: {},
        hyper: { temperature: tf.scalar(NUMBERS.temperature), alpha: tf.scalar(NUMBERS.alpha) },
      }).loss;
    });
    expect(difference(logits!.dataSync(), expected[i]!.logits)).toBeLessThan(1e-5);
    expect(difference(value.dataSync(), [expected[i]!.loss])).toBeLessThan(1e-5);
    expect(Object.keys(expected[i]!.gradients)).toEqual(Object.keys(state));
    for (const [name, variable] of Object.entries(state))
      expect([name, difference(grads[variable.name]!.dataSync(), expected[i]!.gradients[name]!) < 2e-5]).toEqual([
        name,
        true,
      ]);
  }
});
