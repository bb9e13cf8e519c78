import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { transposeData } from '../../../src/formats/onnx/lower/layout.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import type { InferenceTensor } from '../../../src/runtime/inference.ts';
import type { SessionOptions } from '../../../src/runtime/onnxruntime/session.ts';
import { createOnnxRuntimeEngine } from '../../../src/runtime/onnxruntime/engine.ts';
import { make } from '../../../src/ship/convert/make.ts';
import { CONVERT_DEFAULTS } from '../../../src/ship/convert/options.ts';
import { onnxGraph } from '../../../src/ship/convert/source.ts';
import { openFileRunner } from '../../../src/ship/parity/runners.ts';
import type { StepProgram } from '../../../src/trace/program.ts';
import { cutByChance, differenceOf } from '../../support/cut.ts';
import { errorOf, matched, normOf } from '../zoo-training.ts';
import type { Arrays } from '../zoo-training.ts';
import { CLASSES } from './layers.ts';
import { BATCH } from './sketch.ts';

/** Nodes one by one: what ONNX Runtime makes of several at once has faults of its own. */
const PLAIN = { logSeverityLevel: 4, graphOptimizationLevel: 'disabled', intraOpNumThreads: 1 } as const;
const FILE = 'hunt.onnx';

export interface Samples {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

const sampleOf = (model: Model): readonly number[] => model.graph.inputs[0]!.dims!.slice(1) as readonly number[];
const isOpen = (model: Model): boolean => typeof model.graph.inputs[0]!.dims![0] === 'string';

/** Normal numbers for a model: `count` samples, as many as it takes where that is fixed. */
export function samples(model: Model, count: number, ...key: readonly (string | number)[]): Samples {
  const shape = [isOpen(model) ? count : BATCH, ...sampleOf(model)];
  return { shape, data: normals(shape, ...key) };
}

export function normals(shape: readonly number[], ...key: readonly (string | number)[]): Float32Array {
  const random = new RandomStream('samples', ...key);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
}

type Values = Readonly<Record<string, InferenceTensor>>;

function answers(bytes: Uint8Array, batches: readonly Samples[], options: SessionOptions = PLAIN): Values[] {
  const model = new InferenceModel(bytes, FILE, options);
  try {
    return batches.map((x) => model.runNow({ x }));
  } finally {
    model.dispose();
  }
}

const floats = (one: InferenceTensor): Float32Array => one.data as Float32Array;

/** The same samples but for the rounding of float32. */
function nudged({ data, shape }: Samples): Samples {
  return { shape, data: data.map((value, i) => value * (1 + (i % 2 === 0 ? 2e-7 : -2e-7))) };
}

/** Outputs of what is read and written again that are not those of the file. */
export function readFaults(model: Model): string[] {
  const batches = [BATCH, 5].map((count) => samples(model, count, 'read'));
  const { graph } = onnxGraph(model, FILE);
  const expected = answers(encodeModel(model), batches);
  const beside = answers(encodeModel(model), batches.map(nudged));
  const given = answers(encodeModel(lowerToOnnx(graph)), batches);
  return expected.flatMap((values, i) =>
    Object.entries(values).flatMap(([name, one]) => {
      const other = given[i]![name];
      if (other?.shape.join() !== one.shape.join()) return [`${name} is [${other?.shape.join(', ')}]`];
      const error = errorOf(floats(other), floats(one));
      // A norm of two nearly equal values makes much of the last digit.
      const rounding = errorOf(floats(beside[i]![name]!), floats(one));
      return error < 5e-4 + 10 * rounding
        ? []
        : [`${name} of ${batches[i]!.shape[0]} samples is off by ${error.toExponential(1)}`];
    }),
  );
}

/** Decibels of the answers to what changes of them, counted from their mean. */
function sqnr(given: readonly number[], expected: readonly number[]): number {
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  const less = (values: readonly number[]): number[] => values.map((value) => value - mean);
  return -20 * Math.log10(errorOf(less(given), less(expected)));
}

/** Decibels below which an int8 file is called wrong, and by how many it may be worse than 8 bits of the input alone make it. */
const [LEAST, WORSE] = [5, 10];

/** Its int8 file, as it is run by whoever has it: in integer kernels. */
export async function int8Faults(model: Model): Promise<string[]> {
  const batches = Array.from({ length: isOpen(model) ? 3 : 16 }, (_, i) => samples(model, 16, 'int8', i));
  const source = onnxGraph(model, FILE);
  const fed = batches.map((x) => ({ x }));
  const made = await make(source, fed, { ...CONVERT_DEFAULTS, from: FILE, precision: 'int8' });
  const all = (bytes: Uint8Array, of: readonly Samples[], options?: SessionOptions): number[] =>
    answers(bytes, of, options).flatMap((one) => Array.from(floats(one['logits']!)));
  const rounded = batches.map(({ data, shape }) => ({ shape, data: data.map((value) => Math.round(value * 32) / 32) }));
  const bytes = encodeModel(model);
  const expected = all(bytes, batches);
  const [found, least] = [
    sqnr(all(made.bytes as Uint8Array, batches, { logSeverityLevel: 4, intraOpNumThreads: 1 }), expected),
    Math.min(LEAST, sqnr(all(bytes, rounded), expected) - WORSE),
  ];
  return found > least ? [] : [`its int8 file is at ${found.toFixed(1)} dB`];
}

/** Its TFLite file of float32, in LiteRT, a sample at a time. */
export async function tfliteFaults(model: Model): Promise<string[]> {
  const x = samples(model, BATCH, 'tflite');
  const made = await make(onnxGraph(model, FILE), [{ x }], { ...CONVERT_DEFAULTS, from: FILE, format: 'tflite' });
  const runner = await openFileRunner({ file: FILE, bytes: made.bytes, format: 'tflite' }, {});
  const given = (await runner.run({ x }))['logits']!;
  runner.dispose();
  const [expected, beside] = answers(encodeModel(model), [x, nudged(x)]).map((one) => floats(one['logits']!));
  const error = errorOf(given.data, expected!);
  const isNear = error < 1e-3 + 10 * errorOf(beside!, expected!);
  return isNear ? [] : [`its TFLite file is off by ${error.toExponential(1)}`];
}

/** Pictures as students are fed them, with channels last. */
function asStudent(model: Model): readonly number[] {
  const sample = sampleOf(model);
  return sample.length === 3 ? [sample[1]!, sample[2]!, sample[0]!] : sample;
}

function studentsOrder({ data, shape }: Samples): Float32Array {
  return shape.length === 4 ? (transposeData(data, shape, [0, 2, 3, 1]) as Float32Array) : data;
}

function studentOf(model: Model, isTrimmed: boolean): ModelNetwork {
  const options = { inputShape: asStudent(model), classes: CLASSES, seed: 0, head: 'keep', freeze: [] } as const;
  return onnxNetwork(model, FILE, {
    ...options,
    isTrimmed,
    ...(model.graph.outputs.length > 1 && { output: 'logits' }),
  });
}

/** As a student it answers as the file does, and without some channels as if they were zero. */
export async function pruneFaults(model: Model): Promise<string[]> {
  const network = studentOf(model, true);
  const x = samples(model, BATCH, 'prune');
  const shape = [BATCH, ...asStudent(model)];
  const data = studentsOrder(x);
  const { found, whole, zeroed, without } = await cutByChance(network, { data, shape });
  network.dispose();
  const [expected, beside] = answers(encodeModel(model), [x, nudged(x)]).map((one) => floats(one['logits']!));
  const off = errorOf(whole, expected!);
  if (!(off < 5e-4 + 10 * errorOf(beside!, expected!))) return [`the student is off by ${off.toExponential(1)}`];
  // A quotient by what is cut is none.
  if (!zeroed.every(Number.isFinite)) return [];
  const error = differenceOf(without, zeroed);
  return found.groups.length === 0 || error < 1e-4 ? [] : [`cut channels are missed by ${error.toExponential(1)}`];
}

const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

/** Gradients of the sum of the logits times `direction`. */
function gradientProgram(network: ModelNetwork, shape: readonly number[], direction: Float32Array): StepProgram {
  return {
    feeds: { x: { dtype: 'float32', shape } },
    state: network.state,
    run: ({ x }) => {
      let logits: tf.Tensor | undefined;
      const { grads } = tf.variableGrads(() => {
        const { outputs } = network.forward({ [Object.keys(network.inputs)[0]!]: x! }, { training: true });
        logits = tf.keep(Object.values(outputs)[0]!.clone());
        return tf.sum(tf.mul(logits, tf.tensor(direction, [shape[0]!, CLASSES])));
      }, Object.values(network.trainable));
      const named = Object.entries(network.trainable).map(([key, { name }]) => [`d ${key}`, grads[name]] as const);
      return { logits: logits!, ...Object.fromEntries(named.filter(([, grad]) => grad !== undefined)) as Record<string, tf.Tensor> }; // prettier-ignore
    },
  };
}

/**
 * Gradients of a training step that are not PyTorch's in float64, and weights that are left out of it without a word. `arrays`: what
 * PyTorch found, or why it is not what ONNX Runtime computes.
 */
export async function gradientFaults(
  model: Model,
  x: Samples,
  direction: Float32Array,
  arrays: Arrays | string,
): Promise<string[]> {
  const network = studentOf(model, false);
  if (typeof arrays === 'string') return [`PyTorch: ${arrays}`];
  const shape = [x.shape[0]!, ...asStudent(model)];
  const fed = studentsOrder(x);
  const step = await engine.compile(gradientProgram(network, shape, direction));
  const results = (await step.run({ x: fed })) as Readonly<Record<string, Float32Array>>;
  await step.dispose();
  const faults: string[] = [];
  const off = errorOf(results['logits']!, arrays.get('logits')!.data);
  if (!(off < 2e-4)) faults.push(`logits of a training step are off by ${off.toExponential(1)}`);
  const of = (kind: string, name: string): Float32Array => arrays.get(`${kind}/${name}`)!.data;
  const names = [...arrays.keys()].flatMap((key) => (key.startsWith('p/') ? [key.slice(2)] : []));
  const norms = new Map(names.map((name) => [name, normOf(of('g', name))]));
  const largest = Math.max(...norms.values());
  for (const [key, variable] of Object.entries(network.trainable)) {
    const own = new Map([...arrays].filter(([name]) => name === `p/${key}`));
    const match = matched(variable.dataSync().slice() as Float32Array, own, new Set());
    if (match === undefined) {
      faults.push(`${key} [${variable.shape.join(', ')}] is trained, which the file does not have`);
      continue;
    }
    const expected = match.turned(of('g', key));
    const floor = 1e-3 * largest;
    const error = errorOf(results[`d ${key}`] ?? new Float32Array(expected.length), expected, floor);
    // How far PyTorch in float32 is from float64, which kinks and quotients of small numbers make large.
    const rounding = errorOf(of('f', key), of('g', key), floor);
    if (!(error < 5e-4 + 20 * rounding))
      faults.push(
        `the gradient of ${key} is off by ${error.toExponential(1)}: norm ${norms.get(key)!.toPrecision(3)}, ` +
          `PyTorch's float32 ${rounding.toExponential(1)}`,
      );
  }
  const said = (network.origin ?? []).join('\n');
  for (const [name, norm] of norms)
    if (!(name in network.trainable) && norm > 1e-3 * largest && !said.includes(name))
      faults.push(`${name} is not trained, and nothing says so`);
  network.dispose();
  return faults;
}
