import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model } from '@tensorflow/tfjs-layers';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { RandomStream } from '../../src/base/random.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx, nextName } from '../../src/formats/onnx/lower.ts';
import { atBatch } from '../../src/graph/passes/inputs/at-batch.ts';
import { staticSize, withBatch } from '../../src/graph/shapes.ts';
import type { Stream } from '../../src/streams/graph/stream.ts';
import type { Graph } from '../../src/graph/types.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import type { InferenceTensor } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { interpret } from '../../src/trace/interpret/interpret.ts';
import { DilatedDepthwise } from '../../src/trace/layers/dilated-depthwise.ts';
import { inferenceGraph } from '../formats/tflite/models.ts';

type Layer = (x: SymbolicTensor) => SymbolicTensor;

const drawn = { kernelInitializer: 'glorotUniform', recurrentInitializer: 'glorotUniform' } as const;
const call =
  (layer: layers.Layer): Layer =>
  (x) =>
    layer.apply(x) as SymbolicTensor;
const made =
  (make: () => layers.Layer): Layer =>
  (x) =>
    make().apply(x) as SymbolicTensor;
const conv = (name: string, filters: number, kernel: [number, number], strides: [number, number] = [1, 1]): Layer =>
  call(
    layers.conv2d({
      name,
      filters,
      kernelSize: kernel,
      strides,
      padding: 'valid',
      activation: 'relu',
      biasInitializer: 'ones',
    }),
  );
const depthwise = (name: string, kernel: number, dilation = 1): Layer =>
  call(
    new DilatedDepthwise({
      name,
      kernelSize: [1, kernel],
      dilationRate: [1, dilation],
      padding: 'valid',
      biasInitializer: 'ones',
    }),
  );
const before = (name: string, frames: number): Layer =>
  call(layers.zeroPadding2d({ name, padding: [[0, 0], [frames, 0]] })); // prettier-ignore
const row = (steps: number, channels: number): Layer => call(layers.reshape({ targetShape: [1, steps, channels] }));
const steps = (count: number, channels: number): Layer => call(layers.reshape({ targetShape: [count, channels] }));
const dense = (name: string, units: number): Layer => call(layers.dense({ name, units, biasInitializer: 'ones' }));
const mean: Layer = made(() => layers.globalAveragePooling2d({}));
const flat: Layer = made(() => layers.flatten({}));
const add = (a: SymbolicTensor, b: SymbolicTensor): SymbolicTensor => layers.add().apply([a, b]) as SymbolicTensor;

const through =
  (...parts: readonly Layer[]): Layer =>
  (x) =>
    parts.reduce((value, part) => part(value), x);

/** Depthwise kernels of several lengths over the same frames, each on its channels, as those of micro-wake-word. */
const mixed: Layer = (x) => {
  const [near, far] = [depthwise('near', 3)(x), depthwise('far', 6)(x)];
  const last = call(layers.cropping2D({ name: 'last', cropping: [[0, 0], [3, 0]] }))(near); // prettier-ignore
  return layers.concatenate({ axis: -1 }).apply([last, far]) as SymbolicTensor;
};

const causalBlock =
  (name: string, dilation: number): Layer =>
  (x) =>
    call(layers.reLU())(
      add(
        x,
        through(before(`${name}_past`, 2 * dilation), depthwise(name, 3, dilation), conv(`${name}_mix`, 6, [1, 1]))(x),
      ),
    );

/** Nets over sequences of 12 frames of 4 channels; one has pictures of 12 frames of 8 bands. */
const NETS: Readonly<Record<string, readonly [shape: number[], layer: Layer]>> = {
  'convolutions, mean': [[12, 4], through(row(12, 4), conv('a', 6, [1, 3]), conv('b', 5, [1, 4]), mean, dense('logits', 3))],
  'mixed kernels, dense over time': [[12, 4], through(row(12, 4), conv('a', 6, [1, 3]), mixed, flat, dense('logits', 3))],
  'strides': [[12, 4], through(row(12, 4), conv('a', 6, [1, 3], [1, 2]), conv('b', 6, [1, 2]), conv('c', 4, [1, 2]), mean, dense('logits', 3))],
  'causal, an answer a frame': [[12, 4], through(row(12, 4), before('past', 2), conv('a', 6, [1, 3]), causalBlock('b', 1), causalBlock('c', 2), steps(12, 6), dense('logits', 3))],
  'causal, mean': [[12, 4], through(row(12, 4), before('past', 1), conv('a', 6, [1, 3], [1, 2]), causalBlock('b', 1), mean, dense('logits', 3))],
  'GRU': [[12, 4], through(made(() => layers.gru({ name: 'gru', units: 5, ...drawn })), dense('logits', 3))],
  'LSTM, an answer a frame': [[12, 4], through(made(() => layers.lstm({ name: 'lstm', units: 5, returnSequences: true, ...drawn })), dense('logits', 3))],
  'convolution, GRU, LSTM': [[12, 4], through(row(12, 4), before('past', 2), conv('a', 6, [1, 3]), steps(12, 6), made(() => layers.gru({ name: 'gru', units: 5, returnSequences: true, ...drawn })), made(() => layers.lstm({ name: 'lstm', units: 4, returnSequences: true, ...drawn })), dense('logits', 3))],
  'pooling': [[12, 4], through(row(12, 4), conv('a', 6, [1, 2]), made(() => layers.maxPooling2d({ poolSize: [1, 3], strides: [1, 2] })), made(() => layers.averagePooling2d({ poolSize: [1, 2], strides: [1, 1] })), flat, dense('logits', 3))],
  'pictures': [[12, 8, 1], through(conv('a', 4, [3, 3]), conv('b', 5, [3, 3], [1, 2]), mean, dense('logits', 3))],
}; // prettier-ignore

export const STREAM_NETS = Object.keys(NETS);

/** An inference graph from `x` to `logits`. */
export function streamNet(name: string): Graph {
  const [shape, layer] = NETS[name]!;
  return netOf(shape, layer, name);
}

export function netOf(shape: readonly number[], layer: Layer, seed: string): Graph {
  const x = input({ shape: [...shape] });
  const net: LayersModel = model({ inputs: x, outputs: layer(x) });
  const random = new RandomStream('streams', seed);
  net.setWeights(
    net.getWeights().map((w) =>
      tf.tensor(
        Float32Array.from({ length: w.size }, () => random.uniform() - 0.4),
        w.shape,
      ),
    ),
  );
  return inferenceGraph(net, true);
}

/** An LSTM of these options. */
export const recurrent = (options: { units: number; goBackwards?: boolean }): Layer =>
  call(layers.lstm({ name: 'lstm', ...options, ...drawn }));

/** Answers of a stream to each hop of sequences [batch, frames, ...]. */
export type Stepper = (x: tf.Tensor) => Promise<Float32Array>;

/** A stream in the interpreter. */
export function interpreted(stream: Stream, batch: number): Stepper {
  const graph = atBatch(stream.graph, batch);
  let state: Record<string, tf.Tensor> = Object.fromEntries(
    [...graph.state].map(([name, { dtype, shape }]) => [name, tf.zeros(shape as number[], dtype as 'float32')]),
  );
  return async (x) => {
    const { outputs, updates } = interpret(graph, { [stream.input]: x, ...state });
    state = updates;
    return (await Object.values(outputs)[0]!.data()) as Float32Array;
  };
}

/** A stream as a file in ONNX Runtime. */
export function inOnnxRuntime(stream: Stream, batch: number): Stepper {
  const file = new InferenceModel(
    encodeModel(lowerToOnnx(stream.graph)),
    'the stream',
    sessionOptions('cpu', { threads: 1 }),
  );
  const names = [...stream.graph.state.keys()];
  let state = Object.fromEntries(
    [...stream.graph.state].map(([name, { shape }]): [string, InferenceTensor] => {
      const dims = withBatch(shape, batch);
      return [name, { data: new Float32Array(staticSize(dims)), shape: dims }];
    }),
  );
  return async (x) => {
    const data = (await x.data()) as Float32Array;
    const results = await file.run({ [stream.input]: { data, shape: x.shape }, ...state });
    state = Object.fromEntries(names.map((name) => [name, results[nextName(name)]!]));
    return results[[...stream.graph.outputs.keys()][0]!]!.data as Float32Array;
  };
}

/** Random sequences [batch, frames, ...]. */
export function sequences(graph: Graph, batch: number, frames: number, seed: string): tf.Tensor {
  const random = new RandomStream('sequences', seed);
  const shape = [batch, frames, ...([...graph.inputs.values()][0]!.shape as number[]).slice(2)];
  return tf.tensor(
    Float32Array.from({ length: staticSize(shape) }, () => 2 * random.uniform() - 1),
    shape,
  );
}

/** Answer of the graph to windows. */
export async function wholeAnswer(graph: Graph, x: tf.Tensor): Promise<Float32Array> {
  const { outputs } = interpret(atBatch(graph, x.shape[0]), { [[...graph.inputs.keys()][0]!]: x });
  return (await Object.values(outputs)[0]!.data()) as Float32Array;
}

export const part = (x: tf.Tensor, from: number, frames: number): tf.Tensor => {
  const rest = x.shape.slice(2).map(() => 0);
  return tf.slice(x, [0, from, ...rest], [-1, frames, ...rest.map(() => -1)]);
};

/** Hops behind the first window that are compared. */
const MORE = 6;

/** Largest difference of an answer to a hop from that to the window that ends with it, and the number of hops compared. */
export async function besideWindows(
  graph: Graph,
  { hop, window, isWindowed, perFrame }: Stream,
  batch: number,
  step: Stepper,
): Promise<{ error: number; hops: number }> {
  const x = sequences(graph, batch, window + MORE * hop, 'parity');
  const rows = await wholeAnswer(graph, part(x, 0, window));
  const width = rows.length / batch / window;
  let [error, hops] = [0, 0];
  for (let end = hop; end <= x.shape[1]!; end += hop) {
    const answer = await step(part(x, end - hop, hop));
    let expected: Float32Array | undefined;
    if (perFrame.size > 0 && end <= window)
      expected = answer.map((_, i) => rows[(Math.floor(i / width) * window + end - 1) * width + (i % width)]!);
    else if (end === window || (isWindowed && end > window))
      expected = await wholeAnswer(graph, part(x, end - window, window));
    if (expected === undefined) continue;
    hops++;
    if (answer.length !== expected.length) throw new Error(`${answer.length} values for ${expected.length}`);
    expected.forEach((value, i) => {
      error = Math.max(error, Math.abs(value - answer[i]!));
    });
  }
  return { error, hops };
}
