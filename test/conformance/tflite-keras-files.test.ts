import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.ts';
import { readModel as readKeras } from '../../src/files/formats/keras/keras-file.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { withAxes } from '../../src/formats/keras/context.ts';
import type { Model, OnnxTensor } from '../../src/formats/onnx/model.ts';
import { tensorData } from '../../src/formats/onnx/model.ts';
import { onnxNetwork } from '../../src/networks/onnx/onnx.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { ofToday } from '../support/today.ts';
import { runPython } from './python.ts';

interface Made {
  readonly name: string;
  /** Shape of the input, with the batch. */
  readonly x: readonly number[];
  readonly ids: boolean;
}

const CLASSES = 3;
/** Those that Keras makes and differentiates within a minute or so each; keras_files.py has more. */
const NETS = ['MobileNet', 'MobileNetV2', 'MobileNetV3Small', 'ResNet50', 'DenseNet121', 'EfficientNetB0'];

const kept = process.env['KERAS_FILES'];
const folder = kept ?? mkdtempSync(path.join(tmpdir(), 'keras-'));
afterAll(() => {
  if (kept === undefined) rmSync(folder, { recursive: true, force: true });
});
beforeAll(() => useLazyBackend(evaluator));

const floats = (file: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(file)).buffer);

/** Gradients that are smaller than this share of the largest one are compared with that: some are 0 but for rounding. */
const SMALL = 1e-3;

/** Largest difference, relative to the largest value. */
function error(actual: ArrayLike<number>, expected: ArrayLike<number>, least = 1e-6): number {
  if (actual.length !== expected.length) return Infinity;
  let [worst, most] = [0, least];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
    most = Math.max(most, Math.abs(expected[i]!));
  }
  return worst / most;
}

/** Numbers of a weight in the order of a training: a filter [outputs, inputs, ...] has its window first. */
function arranged(stored: OnnxTensor): Float32Array {
  const data = tensorData(stored) as Float32Array;
  const axes = stored.dims.length;
  const isFilter = axes > 2 && !/recurrent|(lstm|gru|rnn)[^/]*\/kernel$/.test(stored.name);
  const order = [...stored.dims.keys()].slice(2);
  return isFilter ? withAxes({ shape: stored.dims, data }, [...order, 1, 0]).data : data;
}

interface Outcome {
  readonly name: string;
  /** Why the file is refused. */
  readonly refused?: string;
  /** Why its weights are not trained. */
  readonly untrained?: string;
  readonly answer?: number;
  readonly student?: number;
  /** Largest error of the gradient of a weight, and its name. */
  readonly gradient?: readonly [number, string];
}

function factOf(problem: unknown): string {
  if (problem instanceof UserError) return problem.message.replace(/^.*?\.(keras|h5): /, '');
  throw problem;
}

async function outcome(place: string, ending: string, { name, x: shape }: Made): Promise<Outcome> {
  const file = path.join(place, `model.${ending}`);
  let model: Model;
  try {
    model = await readKeras(file);
  } catch (problem) {
    return { name, refused: factOf(problem) };
  }
  const [x, y, pull] = ['x', 'y', 'pull'].map((part) => floats(path.join(place, `${part}.bin`))) as [Float32Array, Float32Array, Float32Array]; // prettier-ignore
  const [input] = model.graph.inputs;
  const session = new InferenceModel(encodeModel(model), file, sessionOptions('cpu', {}));
  const fed =
    input!.dtype === 'int32'
      ? { dtype: 'int32' as const, shape, data: Int32Array.from(x) }
      : { dtype: 'float32' as const, shape, data: x };
  const results = session.runNow({ [input!.name]: fed });
  const answer = error(Object.values(results)[0]!.data as Float32Array, y);
  session.dispose();
  if (ending !== 'keras') return { name, answer };
  const options = { inputShape: shape.slice(1), classes: CLASSES, seed: 0, head: 'keep', freeze: [], isTrimmed: false } as const; // prettier-ignore
  try {
    const network = onnxNetwork(model, file, options);
    const feeds = { [Object.keys(network.inputs)[0]!]: tf.tensor(x, [...shape]) };
    let logits!: tf.Tensor;
    const { grads } = tf.variableGrads(() => {
      logits = tf.keep(Object.values(network.forward(feeds, { training: false }).outputs)[0]!);
      return tf.sum<tf.Scalar>(tf.mul(logits, tf.tensor(pull, [shape[0]!, CLASSES])));
    }, Object.values(network.trainable));
    const student = error(await logits.data(), y);
    const expected = await readKeras(path.join(place, 'gradients.keras'));
    const stored = new Map(expected.graph.initializers.map((one) => [one.name, arranged(one)]));
    let gradient: [number, string] = [0, ''];
    let most = 0;
    for (const of of Object.keys(network.trainable))
      for (const one of stored.get(of)!) most = Math.max(most, Math.abs(one));
    for (const [of, variable] of Object.entries(network.trainable)) {
      const [actual, wanted] = [await grads[variable.name]!.data(), stored.get(of)!];
      const worst = error(actual, wanted, SMALL * most);
      if (!(worst <= gradient[0])) gradient = [worst, of];
    }
    network.dispose();
    return { name, answer, student, gradient };
  } catch (problem) {
    return { name, answer, untrained: factOf(problem) };
  }
}

async function outcomes(place: string, cases: readonly Made[]): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for (const ending of ['keras', 'h5'])
    for (const [i, one] of cases.entries()) all.push(await outcome(path.join(place, `${i}`), ending, one));
  return all;
}

function table(all: readonly Outcome[]): string {
  const figure = (value: number | undefined): string => (value === undefined ? '' : value.toExponential(1));
  return all
    .map(
      ({ name, answer, student, gradient = [], refused, untrained }) =>
      [name.padEnd(28), figure(answer), figure(student), figure(gradient[0]), gradient[1] ?? '', refused ?? untrained ?? ''].join('  '), // prettier-ignore
    )
    .join('\n');
}

const isFar = ({ answer = 0, student = 0, gradient = [0, ''] }: Outcome): boolean =>
  !(answer < 1e-4 && student < 1e-4 && gradient[0] < 1e-4);

const made = (place: string, ...names: readonly string[]): Made[] => {
  try {
    return JSON.parse(readFileSync(path.join(place, 'cases.json'), 'utf8')) as Made[];
  } catch {
    return runPython('keras_files.py', place, ...names) as Made[];
  }
};

it('layers of Keras answer and learn as in Keras, or are refused by name', async () => {
  const all = await outcomes(folder, made(folder));
  console.log(table(all));
  expect(all.filter(isFar)).toEqual([]);
});

it.each(ofToday(NETS, 2))('%s of keras.applications answers and learns as in Keras', async (name) => {
  const place = path.join(folder, name);
  mkdirSync(place, { recursive: true });
  const all = await outcomes(place, made(place, name));
  console.log(table(all));
  expect(all.filter(isFar)).toEqual([]);
  expect(all.flatMap(({ refused, untrained }) => refused ?? untrained ?? [])).toEqual([]);
});
