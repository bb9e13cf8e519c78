import path from 'node:path';
import { RandomStream } from '../src/base/random.ts';
import type { CalibrationSamples } from '../src/compress/quantize/observe.ts';
import { viewOf } from '../src/data/batches/batches.ts';
import { listDatasets } from '../src/data/catalog.ts';
import { countOfElements } from '../src/data/dataset.ts';
import type { Dataset } from '../src/data/dataset.ts';
import { loadDataset } from '../src/data/load.ts';
import { createLoss } from '../src/distill/losses/registry.ts';
import { lowerToOnnx } from '../src/formats/onnx/lower.ts';
import { encodeModel } from '../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../src/formats/tflite/export.ts';
import type { Precision } from '../src/formats/tflite/export.ts';
import type { Graph } from '../src/graph/types.ts';
import { buildModel } from '../src/networks/models/registry.ts';
import { layersNetwork } from '../src/networks/layers/layers.ts';
import { inferenceGraph } from '../src/ship/export.ts';
import { prepareInt8 } from '../src/compress/quantize/prepare.ts';
import { quantizeSchema } from '../src/recipe/schema/compress.ts';
import type { Int8AfterTraining } from '../src/recipe/schema/compress.ts';
import type { State } from '../src/runtime/engine.ts';
import { InferenceModel, openerOf } from '../src/runtime/inference.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../src/runtime/onnxruntime/engine.ts';
import { createOptimizer } from '../src/train/optimizers/optimizers.ts';
import { classification } from '../src/answers/classes/task.ts';
import { trainingProgram } from '../src/train/step/step.ts';

type LayersModel = ReturnType<typeof buildModel>;

interface NetSpec {
  readonly model: string;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly options: Readonly<Record<string, unknown>>;
  /** Over `TRAINING` samples; 0: the weights are drawn. */
  readonly epochs: number;
  /** Samples that both sides calibrate with. */
  readonly calibration: number;
  /** Samples that files are compared on. */
  readonly held: number;
}

/** What is compared with the official converter. Training the last one takes too long for a test. */
export const NETS = {
  mlp: { model: 'mlp', inputShape: [28, 28, 1], options: {}, epochs: 3, calibration: 128, held: 2000 },
  lenet: { model: 'lenet', inputShape: [28, 28, 1], options: {}, epochs: 3, calibration: 128, held: 2000 },
  'ds-cnn': { model: 'ds-cnn', inputShape: [28, 28, 1], options: {}, epochs: 2, calibration: 128, held: 2000 },
  resnet8: { model: 'resnet', inputShape: [32, 32, 3], options: { depth: 8 }, epochs: 1, calibration: 128, held: 2000 },
  'mobilenet-v2': {
    model: 'mobilenet-v2',
    inputShape: [96, 96, 3],
    options: {},
    epochs: 0,
    calibration: 32,
    held: 256,
  },
} as const satisfies Record<string, NetSpec>;
export type NetName = keyof typeof NETS;

const TRAINING = 8000;
const BATCH = 64;
const CLASSES = 10;

/** Pictures of Fashion-MNIST, in the size that a net takes. */
export interface Pictures {
  /** [count, height, width, channels] */
  readonly x: Float32Array;
  readonly labels: Int32Array;
}

/** A net with its weights, the files that are made of it, and the pictures to compare them on. */
export interface Net {
  readonly name: NetName;
  readonly model: LayersModel;
  /** By state name, `<layer>/<weight>`. */
  readonly weights: State;
  readonly inputShape: readonly number[];
  readonly trained: boolean;
  readonly files: Readonly<Record<Precision, Uint8Array>>;
  readonly calibration: Pictures;
  /** From the test split, which neither training nor calibration has seen. */
  readonly held: Pictures;
}

export async function loadPictures(): Promise<{ train: Dataset; test: Dataset }> {
  const entries = await listDatasets(path.resolve('datasets'));
  const { train, test } = await loadDataset(entries.find(({ name }) => name === 'fashion-mnist')!.dataset);
  return { train, test: test! };
}

export async function makeNet(name: NetName, { train, test }: { train: Dataset; test: Dataset }): Promise<Net> {
  const { model: registered, inputShape, options, epochs, calibration: samples, held } = NETS[name];
  const model = buildModel(registered, { inputShape, classes: CLASSES, seed: 7, options });
  const calibration = pictures(train, TRAINING, samples, inputShape);
  const weights =
    epochs > 0
      ? await trainedWeights(model, pictures(train, 0, TRAINING, inputShape), inputShape, epochs)
      : await balancedWeights(model, calibration, inputShape);
  const files = await shippedFiles(
    inferenceGraph({ network: layersNetwork(model), weights }, []),
    calibration,
    inputShape,
  );
  const others = { calibration, held: pictures(test, 0, held, inputShape), inputShape, trained: epochs > 0 };
  return { name, model, weights, files, ...others };
}

/** What `limbeck export` writes of the graph in each precision, without the description of the model. */
async function shippedFiles(graph: Graph, { x }: Pictures, shape: readonly number[]): Promise<Net['files']> {
  const step = quantizeSchema.parse({})[0] as Int8AfterTraining;
  const samples = inBatches(x, shape);
  const prepared = await prepareInt8(
    openerOf(sessionOptions('cpu', { threads: 1 })),
    graph,
    { ...step, dense: 'tensor', kept: [] },
    samples,
  );
  const { quantization } = prepared;
  return {
    float32: exportTflite(graph, { precision: 'float32' }).bytes,
    float16: exportTflite(graph, { precision: 'float16' }).bytes,
    dynamic: exportTflite(graph, { precision: 'dynamic' }).bytes,
    integer: exportTflite(prepared.graph, { precision: 'integer', quantization }).bytes,
  };
}

function inBatches(x: Float32Array, shape: readonly number[], size = 32): CalibrationSamples {
  const each = countOfElements(shape);
  return Array.from({ length: x.length / each / size }, (_, i) => ({
    input: { data: x.subarray(i * size * each, (i + 1) * size * each), shape: [size, ...shape] },
  }));
}

async function trainedWeights(
  model: LayersModel,
  { x, labels }: Pictures,
  shape: readonly number[],
  epochs: number,
): Promise<State> {
  const loss = await createLoss('ce');
  const optimizer = createOptimizer({ type: 'adam' }, layersNetwork(model).trainable);
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
  const step = await engine.compile(
    trainingProgram({ task: classification(10), network: layersNetwork(model), loss, optimizer, batchSize: BATCH }),
  );
  const [each, perEpoch] = [countOfElements(shape), Math.floor(labels.length / BATCH)];
  const weights = new Float32Array(BATCH).fill(1);
  const hyper = Object.fromEntries(
    Object.entries(loss.hyper).map(([key, value]) => [`hyper/${key}`, Float32Array.of(value)]),
  );
  for (let i = 0; i < epochs * perEpoch; i++) {
    const at = (i % perEpoch) * BATCH;
    await step.run({
      x: x.subarray(at * each, (at + BATCH) * each),
      labels: labels.subarray(at, at + BATCH),
      weights,
      ...hyper,
      ...optimizer.feedValues(i, 2e-3 * (1 - i / (epochs * perEpoch))),
    });
  }
  const state = await step.state();
  await step.dispose();
  return new Map(Object.keys(layersNetwork(model).state).map((name) => [name, state.get(name)!]));
}

/**
 * Drawn weights whose last bias takes the mean of the logits back: otherwise one class is given to every picture, and
 * agreement of classes says nothing.
 */
async function balancedWeights(model: LayersModel, { x }: Pictures, shape: readonly number[]): Promise<State> {
  const random = new RandomStream('bench', model.name);
  const weights: Map<string, { type: { dtype: 'float32'; shape: number[] }; data: Float32Array }> = new Map();
  for (const [name, variable] of Object.entries(layersNetwork(model).state)) {
    // Biases and statistics leave their first values, zeros and ones, as training would have it.
    const data = Float32Array.from(await variable.data<'float32'>(), (value) =>
      variable.rank === 1 ? value + 0.3 * random.uniform() : value,
    );
    weights.set(name, { type: { dtype: 'float32', shape: variable.shape }, data });
  }
  const graph = inferenceGraph({ network: layersNetwork(model), weights }, []);
  const runner = new InferenceModel(
    encodeModel(lowerToOnnx(graph)),
    'drawn weights',
    sessionOptions('cpu', { threads: 1 }),
  );
  const [some] = inBatches(x, shape);
  const logits = (await runner.run(some!))['logits']!.data as Float32Array;
  runner.dispose();
  const bias = weights.get('logits/bias')!.data;
  logits.forEach((value, i) => (bias[i % CLASSES]! -= value / (logits.length / CLASSES)));
  return weights;
}

function pictures(data: Dataset, from: number, count: number, shape: readonly number[]): Pictures {
  const rows = new RandomStream('bench', data.name).permutation(data.count).slice(from, from + count);
  const small = viewOf(data, rows, { seed: 0, view: 0, augment: [] });
  const labels = Int32Array.from(rows, (row) => data.targets[row]!);
  return { x: enlarged(small, data.sampleShape, shape), labels };
}

/** Grey pictures in another size, bilinear, with the same values in every channel. */
function enlarged(from: Float32Array, [h, w]: readonly number[], to: readonly number[]): Float32Array {
  const [height, width, channels] = to as [number, number, number];
  const count = from.length / (h! * w!);
  const out = new Float32Array(count * countOfElements(to));
  const [rows, columns] = [positions(h!, height), positions(w!, width)];
  let at = 0;
  for (let n = 0; n < count; n++) {
    const pixel = (y: number, x: number): number => from[(n * h! + y) * w! + x]!;
    for (const [y, below, dy] of rows) {
      for (const [x, right, dx] of columns) {
        const top = pixel(y, x) * (1 - dx) + pixel(y, right) * dx;
        const bottom = pixel(below, x) * (1 - dx) + pixel(below, right) * dx;
        out.fill(top * (1 - dy) + bottom * dy, at, (at += channels));
      }
    }
  }
  return out;
}

/** For each of `to` positions along an axis: the neighbours among `from` and the weight of the second. */
function positions(from: number, to: number): [number, number, number][] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    return [low, Math.min(low + 1, from - 1), at - low];
  });
}
