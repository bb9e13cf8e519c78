import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { unzipSync, zipSync } from 'fflate';
import { parseNpy } from '../../src/base/numpy.ts';
import { npyBytes, npySamples } from '../../src/data/readers/numpy/npy.ts';
import { createLoss } from '../support/losses.ts';
import { importOnnx } from '../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { transposeData } from '../../src/formats/onnx/lower/layout.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import { onnxNetwork } from '../../src/networks/onnx/onnx.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { classification } from '../../src/answers/classes/task.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { createOptimizer } from '../../src/train/optimizers/optimizers.ts';
import { forward, trainingProgram } from '../../src/train/step/step.ts';
import { oneField } from '../../src/tasks/fields.ts';
import { joinedOutputs } from '../../src/train/step/joined-outputs.ts';
import type { Kind } from './zoo.ts';

interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Arrays of an archive by name. */
export type Arrays = ReadonlyMap<string, Stored>;

export interface Lesson {
  readonly labels: readonly number[];
  /** What errors of gradients are relative to, by PyTorch's names of the weights; of others, to their norms. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Without it no step is taken. */
  readonly adam?: { readonly rate: number; readonly epsilon: number; readonly steps?: number };
}

/** Errors of a training beside PyTorch's in float64, of the tensor that is furthest off. */
export interface Trained {
  readonly logits: number;
  /** Relative to the norm of the gradient; of one that is 0 but for rounding, to the largest. */
  readonly gradient: number;
  /** Of steps of Adam (five, unless said), beyond the rounding of a weight at each of them: relative to how far a weight moved. */
  readonly adam?: number;
  readonly weights: number;
  /** Weights of PyTorch's that the network has not. */
  readonly unmatched: readonly string[];
  /** Weights of the network that are none of PyTorch's. */
  readonly others: readonly string[];
  /** What the log says of the network. */
  readonly origin: string;
}

/** What one of torch's exporters made of a net, and archives of PyTorch's numbers in float64. */
export interface Form {
  readonly exporter: 'legacy' | 'dynamo';
  readonly open: string;
  readonly fixed: string;
  readonly numbers: string;
  /** Distance of the nearest input of a ReLU and its like from where its slope jumps; null where there is none. */
  readonly kink: number | null;
  /** Inputs of those that are on the other side of it in float32 than in float64. */
  readonly flipped: number;
  /** How far the gradients of PyTorch in float32 are from those in float64. */
  readonly float32: number;
  /** Steps of Adam of this net, or of one with smooth activations. */
  readonly adam: {
    readonly file: string;
    readonly numbers: string;
    readonly rate: number;
    readonly epsilon: number;
    readonly isSmooth: boolean;
    readonly float32: number;
  };
}

/** Errors of a form beside PyTorch, or why its file is refused. */
export interface FormResult {
  readonly form: Form;
  readonly answers: number | string;
  readonly trained: Trained | string;
  /** Of the file with a fixed batch size. */
  readonly fixedAnswers: number | string;
  readonly fixed: Trained | string;
  readonly adam: number | undefined;
}

export interface Result {
  readonly name: string;
  readonly forms: readonly FormResult[];
  readonly sqnr: Partial<Record<Kind, number>>;
}

const CLASSES = 20;

/** What a script of PyTorch's stored under their names. */
export function arraysOf(file: string): Arrays {
  const files = unzipSync(readFileSync(file));
  return new Map(
    Object.entries(files).map(([key, bytes]) => {
      const array = parseNpy(bytes, key);
      // Samples are memory that threads share, which ONNX Runtime does not take.
      return [key.slice(0, -'.npy'.length), { shape: array.shape, data: npySamples(array).slice() as Float32Array }];
    }),
  );
}

export function normOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

export function errorOf(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-30): number {
  let [off, all] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    off += (expected[i]! - actual[i]!) ** 2;
    all += expected[i]! ** 2;
  }
  return Math.sqrt(off) / Math.max(Math.sqrt(all), floor);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return normOf(Float64Array.from(a, (value, i) => value - b[i]!));
}

/** Every order of the axes that keeps the number of values; PyTorch's own comes first. */
function orders(rank: number): number[][] {
  if (rank < 2) return [[...Array(rank).keys()]];
  if (rank > 4) return [[...Array(rank).keys()]];
  const all = (left: readonly number[]): number[][] =>
    left.length === 0 ? [[]] : left.flatMap((one) => all(left.filter((other) => other !== one)).map((rest) => [one, ...rest])); // prettier-ignore
  return all([...Array(rank).keys()]);
}

/**
 * PyTorch's weight that this one is, told by its values, and how to bring what PyTorch has into its order. Of several with the same values, as in
 * a net that is untrained, it is that with this name, or else that with the nearest gradient: branches that are added have the same.
 */
export function matched(
  values: Float32Array,
  arrays: ReadonlyMap<string, Stored>,
  taken: Set<string>,
  gradient?: ArrayLike<number>,
  name?: string,
) {
  const sizeOf = (of: Float32Array): number => of.reduce((sum, value) => sum + value * value, 0);
  const isUniform = values.every((value) => value === values[0]);
  const found = [...arrays].flatMap(([key, { shape, data }]) => {
    if (!key.startsWith('p/') || data.length !== values.length || taken.has(key)) return [];
    if (Math.abs(sizeOf(data) - sizeOf(values)) > 1e-4 * (sizeOf(data) + 1e-9)) return [];
    const all = orders(shape.length).map(
      (order) => (of: Float32Array) => transposeData(of, shape, order) as Float32Array,
    );
    const isSame = (turned: (of: Float32Array) => Float32Array): boolean => errorOf(turned(data), values, 1e-6) < 1e-6;
    const fitting = isUniform ? all.filter(isSame) : [all.find(isSame)].filter((one) => one !== undefined);
    return fitting.map((turned) => {
      const theirs = arrays.get(`g/${key.slice(2)}`)?.data;
      return {
        key,
        turned,
        isNamed: key === `p/${name}`,
        off: gradient === undefined || theirs === undefined ? 0 : distance(gradient, turned(theirs)),
      };
    });
  });
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  const { key, turned } = others.reduce(
    (best, one) => ((one.isNamed === best.isNamed ? one.off < best.off : one.isNamed) ? one : best),
    first,
  );
  taken.add(key);
  return { key: key.slice(2), turned };
}

/** The samples of a net as a recipe of an archive with them reads them for the file. */
async function samplesOf(file: string, arrays: Arrays, labels: readonly number[]) {
  const { shape, data } = arrays.get('x')!;
  const archive = `${file}.samples.npz`;
  writeFileSync(archive, zipSync({ 'x.npy': npyBytes(shape, data), 'y.npy': npyBytes([labels.length], Int32Array.from(labels)) })); // prettier-ignore
  const split = { file: archive };
  const pictures = shape.length === 4 ? { layout: 'nchw' } : {};
  const classes = Array.from({ length: CLASSES }, (_, i) => String(i));
  const dataset = { type: 'npz', train: split, validation: split, normalize: 'none', classes, ...pictures };
  const { train } = await loadData(makeRecipe({ name: 'zoo', dataset, student: { onnx: file } }).recipe);
  expect([...train.targets]).toEqual(labels);
  return { sample: train.sampleShape, x: (train.samples as Float32Array).slice() };
}

function networkOf(file: string, sample: readonly number[]): ModelNetwork {
  const model = decodeModel(readFileSync(file), path.basename(file));
  const options = {
    inputShape: sample,
    classes: CLASSES,
    seed: 0,
    head: 'keep',
    freeze: [],
    isTrimmed: false,
  } as const;
  const output = model.graph.outputs.length > 1 ? { output: 'logits' } : {};
  return onnxNetwork(model, path.basename(file), { ...options, ...output });
}

function gradientProgram(network: ModelNetwork, shape: readonly number[], dtype: 'float32' | 'int32'): StepProgram {
  const batch = shape[0]!;
  return {
    feeds: { x: { dtype, shape }, labels: { dtype: 'int32', shape: [batch] } },
    state: network.state,
    run: (feeds) => {
      let logits: tf.Tensor | undefined;
      const { grads } = tf.variableGrads(() => {
        logits = tf.keep(
          joinedOutputs(forward(network, feeds, { training: true, layers: [] }).outputs, oneField([CLASSES])).clone(),
        );
        const wanted = tf.oneHot(feeds['labels'] as tf.Tensor1D, CLASSES, 1, 0, 'float32');
        return tf.div(tf.neg(tf.sum(tf.mul(wanted, tf.logSoftmax(logits)))), batch);
      }, Object.values(network.trainable));
      const named = Object.entries(network.trainable).map(([key, { name }]) => [`d ${key}`, grads[name]] as const);
      return { logits: logits!, ...Object.fromEntries(named.filter(([, grad]) => grad !== undefined)) as Record<string, tf.Tensor> }; // prettier-ignore
    },
  };
}

/** What lies between a float32 and the next. */
function spacing(value: number): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 2 ** -126))) - 23);
}

/** Gradients that are 0 but for the rounding of float64, of a bias in front of what takes the mean off: relative to the largest. */
const NOTHING = 1e-9;

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

/** The error of the file's answers, in evaluation, beside PyTorch's. */
export async function answered(file: string, arrays: Arrays): Promise<number> {
  const graph = importOnnx(decodeModel(readFileSync(file), path.basename(file)), path.basename(file));
  const shipped = forInference(graph, (part) => evaluator.runSync(part, new Map()));
  const model = new InferenceModel(encodeModel(lowerToOnnx(shipped)), path.basename(file), {});
  const { shape, data } = arrays.get('x')!;
  const given = await model.run({ x: { data, shape } });
  model.dispose();
  return errorOf(given['logits']!.data as Float32Array, arrays.get('answers')!.data);
}

/** The file as a student: its logits and gradients on a batch, and its weights after steps of Adam, beside PyTorch's. */
export async function trained(file: string, arrays: Arrays, { labels, adam, sizes = {} }: Lesson): Promise<Trained> {
  const { sample, x } = await samplesOf(file, arrays, labels);
  const network = networkOf(file, sample);
  const isOfIds = Object.values(network.inputs).some(({ dtype }) => dtype !== 'float32');
  const feeds = { x: isOfIds ? Int32Array.from(x) : x, labels: Int32Array.from(labels) };
  const of = (kind: string, key: string): Float32Array => arrays.get(`${kind}/${key}`)!.data;
  const step = await engine.compile(
    gradientProgram(network, [labels.length, ...sample], isOfIds ? 'int32' : 'float32'),
  );
  const results = await step.run(feeds);
  await step.dispose();
  const taken = new Set<string>();
  const isNamed = (key: string): number => Number(arrays.has(`p/${key}`));
  // Weights with PyTorch's names find theirs first.
  const ours = Object.entries(network.trainable).sort(([a], [b]) => isNamed(b) - isNamed(a));
  const found = new Map(
    ours.flatMap(([key, one]) => {
      const gradient = results[`d ${key}`] as Float32Array;
      const match = matched(one.dataSync().slice() as Float32Array, arrays, taken, gradient, key);
      return match === undefined ? [] : [[key, match] as const];
    }),
  );
  const norms = new Map([...found].map(([key, match]) => [key, normOf(of('g', match.key))]));
  const largest = Math.max(...norms.values());
  const isNothing = (key: string): boolean => norms.get(key)! <= NOTHING * largest;
  const gradients = [...found].map(([key, { key: theirs, turned }]) => {
    const given = (results[`d ${key}`] ?? new Float32Array(of('g', theirs).length)) as Float32Array;
    return errorOf(given, turned(of('g', theirs)), sizes[theirs] ?? (isNothing(key) ? largest : norms.get(key)!));
  });
  const state = adam === undefined ? undefined : await afterSteps(networkOf(file, sample), feeds, adam);
  const moves = (state === undefined ? [] : [...found]).map(([key, { key: theirs, turned }]) => {
    const [before, move] = [turned(of('p', theirs)), turned(of('m', theirs))];
    const moved = Float64Array.from(state!.get(key)!.data as Float32Array, (value, i) => value - before[i]!);
    // What begins at 0 and has no gradient stays there: an error counts as a share of a step.
    if (isNothing(key)) return errorOf(moved, move, Math.max(normOf(before), adam!.rate * Math.sqrt(move.length)));
    const off = moved.map((value, i) => Math.max(0, Math.abs(value - move[i]!) - 3 * spacing(before[i]!)));
    return normOf(off) / Math.max(normOf(move), 1e-30);
  });
  const all = [...arrays.keys()].filter((key) => key.startsWith('p/'));
  return {
    logits: errorOf(results['logits'] as Float32Array, arrays.get('logits')!.data),
    gradient: Math.max(...gradients),
    ...(state && { adam: Math.max(...moves) }),
    ...{ weights: all.length, unmatched: all.filter((key) => !taken.has(key)) },
    ...{ others: Object.keys(network.trainable).filter((key) => !found.has(key)), origin: network.origin!.join('\n') },
  };
}

async function afterSteps(
  network: ModelNetwork,
  feeds: { x: Float32Array | Int32Array; labels: Int32Array },
  { rate, epsilon, steps = 5 }: NonNullable<Lesson['adam']>,
) {
  const loss = createLoss('ce', { hyper: { labelSmoothing: 0 }, features: [], seed: 0 });
  const optimizer = createOptimizer({ type: 'adam', epsilon }, network.trainable);
  const [task, batchSize] = [classification(CLASSES), feeds.labels.length];
  const step = await engine.compile(trainingProgram({ task, network, loss, optimizer, batchSize }));
  const hyper = Object.fromEntries(Object.entries(loss.hyper).map(([key, v]) => [`hyper/${key}`, Float32Array.of(v)]));
  const weights = new Float32Array(batchSize).fill(1);
  for (let i = 0; i < steps; i++) await step.run({ ...feeds, weights, ...hyper, ...optimizer.feedValues(i, rate) });
  const state = await step.state();
  await step.dispose();
  return state;
}
