import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { npySamples, parseNpy } from '../../src/data/npy.ts';
import { unzip } from '../../src/data/zip.ts';
import { createLoss } from '../../src/distill/losses/registry.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { transposeData } from '../../src/formats/onnx/lower/layout.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import { onnxNetwork } from '../../src/networks/onnx.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime.ts';
import { classification } from '../../src/tasks/classification.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { createOptimizer } from '../../src/train/optimizers.ts';
import { forward, trainingProgram } from '../../src/train/step.ts';
import { runPython } from './python.ts';

interface Entry {
  readonly name: string;
  readonly labels: readonly number[];
  readonly rate: number;
}

interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const [BATCH, CLASSES] = [4, 20];

let folder = '';
let entries: readonly Entry[] = [];

beforeAll(() => {
  useLazyBackend(evaluator);
  const given = process.env['ZOO_TRAIN'];
  folder = given ?? mkdtempSync(path.join(tmpdir(), 'conformance-'));
  entries = (
    given === undefined
      ? runPython('zoo_train.py', folder)
      : JSON.parse(readFileSync(path.join(folder, 'entries.json'), 'utf8'))
  ) as Entry[];
});
afterAll(() => {
  if (process.env['ZOO_TRAIN'] === undefined) rmSync(folder, { recursive: true, force: true });
});

function arraysOf(name: string): Map<string, Stored> {
  const files = unzip(readFileSync(path.join(folder, `${name}.npz`)), () => true);
  return new Map(
    Object.entries(files).map(([key, bytes]) => {
      const array = parseNpy(bytes, key);
      return [key.slice(0, -'.npy'.length), { shape: array.shape, data: npySamples(array) as Float32Array }];
    }),
  );
}

function errorOf(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-30): number {
  let [off, all] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    off += (expected[i]! - actual[i]!) ** 2;
    all += expected[i]! ** 2;
  }
  return Math.sqrt(off) / Math.max(Math.sqrt(all), floor);
}

/** Every order of the axes that keeps the number of values; PyTorch's own comes first. */
function orders(rank: number): number[][] {
  if (rank < 2) return [[...Array(rank).keys()]];
  if (rank > 4) return [[...Array(rank).keys()]];
  const all = (left: readonly number[]): number[][] =>
    left.length === 0 ? [[]] : left.flatMap((one) => all(left.filter((other) => other !== one)).map((rest) => [one, ...rest])); // prettier-ignore
  return all([...Array(rank).keys()]);
}

/** PyTorch's weight that this one is, told by its values, and how to bring what PyTorch has into its order. */
function matched(values: Float32Array, arrays: ReadonlyMap<string, Stored>, taken: Set<string>) {
  for (const [key, { shape, data }] of arrays) {
    if (!key.startsWith('p/') || data.length !== values.length || taken.has(key)) continue;
    const sorted = (of: Float32Array): number => of.reduce((sum, value) => sum + value * value, 0);
    if (Math.abs(sorted(data) - sorted(values)) > 1e-4 * (sorted(data) + 1e-9)) continue;
    for (const order of orders(shape.length)) {
      const turned = (of: Float32Array) => transposeData(of, shape, order) as Float32Array;
      if (errorOf(turned(data), values) < 1e-6) {
        taken.add(key);
        return { key: key.slice(2), turned };
      }
    }
  }
  return undefined;
}

function networkOf(name: string, sample: readonly number[]): ModelNetwork {
  const file = `${name}.onnx`;
  const options = {
    inputShape: sample,
    classes: CLASSES,
    seed: 0,
    head: 'keep',
    freeze: [],
    isTrimmed: false,
  } as const;
  const output = name === 'two-heads' ? { output: 'logits' } : {};
  return onnxNetwork(decodeModel(readFileSync(path.join(folder, file)), file), file, { ...options, ...output });
}

function gradientProgram(network: ModelNetwork, sample: readonly number[]): StepProgram {
  return {
    feeds: { x: { dtype: 'float32', shape: [BATCH, ...sample] }, labels: { dtype: 'int32', shape: [BATCH] } },
    state: network.state,
    run: (feeds) => {
      let logits: tf.Tensor | undefined;
      const { grads } = tf.variableGrads(() => {
        logits = tf.keep(forward(network, feeds, { training: true, layers: [] }).answers.clone());
        const wanted = tf.oneHot(feeds['labels'] as tf.Tensor1D, CLASSES, 1, 0, 'float32');
        return tf.div(tf.neg(tf.sum(tf.mul(wanted, tf.logSoftmax(logits)))), BATCH);
      }, Object.values(network.trainable));
      const named = Object.entries(network.trainable).map(([key, { name }]) => [`d ${key}`, grads[name]] as const);
      return { logits: logits!, ...Object.fromEntries(named.filter(([, grad]) => grad !== undefined)) as Record<string, tf.Tensor> }; // prettier-ignore
    },
  };
}

/** Gradients that are 0 but for rounding: of a bias in front of what takes the mean off. */
const NOTHING = 1e-3;

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

async function measured({ name, labels, rate }: Entry) {
  const arrays = arraysOf(name);
  const x = arrays.get('x')!;
  const isPicture = x.shape.length === 4;
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const sample = isPicture ? [h, w, c] : x.shape.slice(1);
  const feeds = {
    x: isPicture ? (transposeData(x.data, [n, c, h, w], [0, 2, 3, 1]) as Float32Array) : x.data,
    labels: Int32Array.from(labels),
  };
  const network = networkOf(name, sample);
  const step = await engine.compile(gradientProgram(network, sample));
  const results = await step.run(feeds);
  const taken = new Set<string>();
  const found = new Map(
    Object.entries(network.trainable).flatMap(([key, one]) => {
      const match = matched(one.dataSync().slice() as Float32Array, arrays, taken);
      return match === undefined ? [] : [[key, match] as const];
    }),
  );
  const of = (kind: string, key: string): Float32Array => arrays.get(`${kind}/${key}`)!.data;
  const scale = Math.max(...[...found.values()].map(({ key }) => Math.hypot(...of('g', key).subarray(0, 1e5))));
  let gradient = 0;
  for (const [key, { key: theirs, turned }] of found) {
    const given = (results[`d ${key}`] ?? new Float32Array(of('g', theirs).length)) as Float32Array;
    gradient = Math.max(gradient, errorOf(given, turned(of('g', theirs)), NOTHING * scale));
  }
  const logits = errorOf(results['logits'] as Float32Array, arrays.get('logits')!.data);
  await step.dispose();
  const moved = networkOf(name, sample);
  const loss = createLoss('ce', { hyper: { labelSmoothing: 0 }, features: [], seed: 0 });
  const optimizer = createOptimizer({ type: 'adam', epsilon: 1e-4 }, moved.trainable);
  const task = classification(CLASSES);
  const training = await engine.compile(trainingProgram({ task, network: moved, loss, optimizer, batchSize: BATCH }));
  const hyper = Object.fromEntries(Object.entries(loss.hyper).map(([key, v]) => [`hyper/${key}`, Float32Array.of(v)]));
  const weights = new Float32Array(BATCH).fill(1);
  for (let i = 0; i < 5; i++) await training.run({ ...feeds, weights, ...hyper, ...optimizer.feedValues(i, rate) });
  const state = await training.state();
  await training.dispose();
  let adam = 0;
  for (const [key, { key: theirs, turned }] of found)
    adam = Math.max(adam, errorOf(state.get(key)!.data as Float32Array, turned(of('a', theirs))));
  const all = [...arrays.keys()].filter((key) => key.startsWith('p/'));
  const unmatched = all.filter((key) => !taken.has(key));
  return { logits, gradient, adam, weights: all.length, unmatched };
}

it('fifteen nets give the logits, the gradients and the weights after five steps of Adam that PyTorch gives', async () => {
  const lines: string[] = [];
  let trained = 0;
  for (const entry of entries) {
    try {
      const { logits, gradient, adam, weights, unmatched } = await measured(entry);
      const isEqual = logits < 1e-4 && gradient < 1e-4 && adam < 1e-3 && unmatched.length === 0;
      if (isEqual) trained++;
      const numbers = [logits, gradient, adam].map((one) => one.toExponential(1)).join(' | ');
      lines.push(`| ${entry.name} | ${weights} | ${numbers} |${isEqual ? '' : ` ${unmatched.slice(0, 4).join(', ')}`}`);
    } catch (error) {
      lines.push(`| ${entry.name} | refused: ${(error as Error).message.slice(0, 200)} |`);
    }
    if (process.env['ZOO_TRAIN'] !== undefined) process.stderr.write(`${lines.at(-1)!}\n`);
  }
  console.log(['| net | weights | logits | gradients | Adam |', ...lines].join('\n'));
  expect(trained).toBeGreaterThanOrEqual(Math.min(14, entries.length));
}, 1_200_000);
