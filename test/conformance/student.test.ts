import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { createLoss } from '../support/losses.ts';
import { readOnnx } from '../../src/files/onnx-file.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { transposeData } from '../../src/formats/onnx/lower/layout.ts';
import type { TensorData } from '../../src/graph/types.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import { onnxNetwork } from '../../src/networks/onnx/onnx.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import type { State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { forward, trainingProgram } from '../../src/train/step/step.ts';
import { oneField } from '../../src/tasks/fields.ts';
import { joinedOutputs } from '../../src/train/step/joined-outputs.ts';
import { classification } from '../../src/answers/classes/task.ts';
import { relativeError } from '../support/error.ts';
import { runPython } from './python.ts';

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly gradient: readonly number[];
  readonly adam: readonly number[];
}

interface Measured {
  readonly logits: readonly number[];
  readonly weights: readonly Weight[];
  readonly statistics: Readonly<Record<string, readonly number[]>>;
}

interface Entry extends Record<'eval' | 'train' | 'folded', Measured> {
  readonly name: string;
  readonly x: readonly number[];
  readonly labels: readonly number[];
}

const [BATCH, CLASSES] = [6, 4];
const SAMPLE = [8, 8, 3];

let folder = '';
let entries: readonly Entry[] = [];

beforeAll(() => {
  useLazyBackend(evaluator);
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  runPython('student_write.py', folder);
  entries = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as Entry[];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function networkOf(file: string): Promise<ModelNetwork> {
  const model = decodeModel(await readOnnx(path.join(folder, file)), file);
  const options = {
    inputShape: SAMPLE,
    classes: CLASSES,
    seed: 0,
    head: 'keep',
    freeze: [],
    isTrimmed: false,
  } as const;
  return onnxNetwork(model, file, options);
}

/** What a batch gives: logits, and the gradient of every weight, computed by ONNX Runtime. */
function gradientProgram(network: ModelNetwork, training: boolean): StepProgram {
  return {
    feeds: { x: { dtype: 'float32', shape: [BATCH, ...SAMPLE] }, labels: { dtype: 'int32', shape: [BATCH] } },
    state: network.state,
    run: (feeds) => {
      let logits: tf.Tensor | undefined;
      const { grads } = tf.variableGrads(() => {
        logits = tf.keep(
          joinedOutputs(forward(network, feeds, { training, layers: [] }).outputs, oneField([CLASSES])).clone(),
        );
        const wanted = tf.oneHot(feeds['labels'] as tf.Tensor1D, CLASSES, 1, 0, 'float32');
        return tf.div(tf.neg(tf.sum(tf.mul(wanted, tf.logSoftmax(logits)))), BATCH);
      }, Object.values(network.trainable));
      const named = Object.entries(network.trainable).map(([key, { name }]) => [`d ${key}`, grads[name]!] as const);
      return { logits: logits!, ...Object.fromEntries(named) };
    },
  };
}

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

/** The state after five steps of Adam on one batch, as a training makes them. */
async function adam(network: ModelNetwork, feeds: Readonly<Record<string, TensorData>>): Promise<State> {
  const loss = createLoss('ce', { hyper: { labelSmoothing: 0 }, features: [], seed: 0 });
  const optimizer = createOptimizer({ type: 'adam', epsilon: 1e-4 }, network.trainable);
  const step = await engine.compile(
    trainingProgram({ task: classification(CLASSES), network, loss, optimizer, batchSize: BATCH }),
  );
  const fed = { ...feeds, weights: new Float32Array(BATCH).fill(1) };
  const hyper = Object.fromEntries(
    Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)]),
  );
  for (let i = 0; i < 5; i++) await step.run({ ...fed, ...hyper, ...optimizer.feedValues(i, 1e-2) });
  const state = await step.state();
  await step.dispose();
  return state;
}

/** The same axes in another order: those in which PyTorch has a weight, as it lies here. */
const ORDERS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  2: [[0, 1], [1, 0]], // prettier-ignore
  4: [[0, 1, 2, 3], [2, 3, 1, 0], [2, 3, 0, 1]], // prettier-ignore
};

/** PyTorch's weight that this one is, told by its values, and how to bring what PyTorch has into its order. */
function matched(values: ArrayLike<number>, weights: readonly Weight[]) {
  for (const weight of weights) {
    if (weight.values.length !== values.length) continue;
    for (const order of ORDERS[weight.shape.length] ?? [weight.shape.map((_, i) => i)]) {
      const turned = (of: readonly number[]) =>
        transposeData(Float32Array.from(of), weight.shape, order) as Float32Array;
      if (relativeError(values, turned(weight.values)) < 1e-5) return { weight, turned };
    }
  }
  return undefined;
}

/** Gradients that are 0 but for rounding: of a bias in front of what takes the mean off, or of a key that all scores share. */
const NOTHING = 1e-4;

// The newer exporter stores the weights of an NFNet as they are once standardized, of which PyTorch has no parameters.
const CASES = ['resnet', 'mobilenet', 'transformer', 'mlp', 'nfnet'].flatMap((name) =>
  ['dynamo', 'legacy', 'preserved']
    .filter((file) => name !== 'nfnet' || file !== 'dynamo')
    .map((file) => [`${name}-${file}.onnx`, name] as const),
);

describe.each(CASES)('%s', (file, name) => {
  it('gives the logits, the gradient of every weight and the weights after five steps of Adam that PyTorch gives', async () => {
    const entry = entries.find((one) => one.name === name)!;
    const given = await networkOf(file);
    const hasNorms = given.origin!.some((line) => /batch norms? (is|are) trained/.test(line));
    const feeds = {
      x: transposeData(Float32Array.from(entry.x), [BATCH, 3, 8, 8], [0, 2, 3, 1]) as Float32Array,
      labels: Int32Array.from(entry.labels),
    };
    const report: string[] = [];
    for (const mode of hasNorms ? (['eval', 'train'] as const) : (['folded'] as const)) {
      const expected = entry[mode];
      const network = await networkOf(file);
      const begins = new Map(Object.entries(network.state).map(([key, one]) => [key, one.dataSync().slice()]));
      const step = await engine.compile(gradientProgram(network, mode === 'train'));
      const results = await step.run(feeds);
      expect(relativeError(results['logits'] as Float32Array, expected.logits)).toBeLessThan(1e-5);
      const found = new Map(
        Object.keys(network.trainable).map((key) => [key, matched(begins.get(key)!, expected.weights)] as const),
      );
      // Every weight of PyTorch's is one here, and the other way round.
      expect([...found.values()].map((one) => one?.weight.name).sort()).toEqual(
        expected.weights.map((one) => one.name).sort(),
      );
      let worst = 0;
      for (const [key, one] of found) {
        const error = relativeError(results[`d ${key}`] as Float32Array, one!.turned(one!.weight.gradient), NOTHING);
        worst = Math.max(worst, error);
        expect([key, error < 1e-4]).toEqual([key, true]);
      }
      if (mode === 'train') {
        const now = await step.state();
        for (const key of Object.keys(expected.statistics).filter((one) => one.endsWith('running_mean')))
          expect(relativeError(now.get(key)!.data as Float32Array, expected.statistics[key]!)).toBeLessThan(1e-5);
      }
      await step.dispose();
      // Batch norms of a training follow the batch: in evaluation mode there is nothing to hold this against.
      const moved = mode === 'eval' ? undefined : await adam(await networkOf(file), feeds);
      let off = 0;
      for (const [key, one] of moved === undefined ? [] : found) {
        const error = relativeError(moved!.get(key)!.data as Float32Array, one!.turned(one!.weight.adam));
        off = Math.max(off, error);
        expect([key, error < 1e-3]).toEqual([key, true]);
      }
      const steps = moved === undefined ? '' : `, five steps of Adam ${off.toExponential(1)}`;
      report.push(`${file}, ${mode}: ${found.size} weights, gradients ${worst.toExponential(1)}${steps}`);
    }
    console.log(report.join('\n'));
  });
});
