import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as tfl from '@tensorflow/tfjs-layers';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { install } from '../../src/trace/install.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { useCpu } from '../support/cpu.ts';
import { eagerEngine } from '../support/eager-engine.ts';
import { expectClose, float32, numbers } from '../support/graphs.ts';

/** tfjs' cpu convolutions are slow: nets that have them take fewer steps. */
const stepsOf = (inputShape: readonly number[]): number => (inputShape.length === 3 ? 5 : 20);
const CLASSES = 5;
const { layers } = tfl;

beforeAll(async () => {
  install();
  await useCpu();
  tf.scalar(0).dispose();
  // tfjs' leak check counts what a custom gradient saves as lost.
  tf.env().set('IS_TEST', false);
});

/** A training step with momentum, written out: softmax cross-entropy, gradients, update. */
function trainingStep(
  model: LayersModel,
  batch: number,
  inputShape: readonly number[],
  integers: boolean,
): StepProgram {
  const state: Record<string, tf.Variable> = {};
  const trained: { name: string; weight: tf.Variable; slot: tf.Variable }[] = [];
  model.weights.forEach((layerVariable, i) => {
    const weight = layerVariable.read() as unknown as tf.Variable;
    const name = `${i}/${layerVariable.originalName}`;
    weight.assign(tf.tensor(initial(weight.shape, weight.size, layerVariable.originalName, i), weight.shape));
    state[name] = weight;
    if (!layerVariable.trainable) return;
    const slot = tf.variable(tf.zeros(weight.shape), false);
    state[`${name}/momentum`] = slot;
    trained.push({ name, weight, slot });
  });
  return {
    feeds: {
      x: { dtype: integers ? 'int32' : 'float32', shape: [batch, ...inputShape] },
      labels: float32(batch, CLASSES),
      learningRate: float32(),
    },
    state,
    run: ({ x, labels, learningRate }) => {
      const loss = (): tf.Scalar =>
        tf.losses.softmaxCrossEntropy(labels!, model.apply(x!, { training: true }) as tf.Tensor);
      const { value, grads } = tf.variableGrads(
        loss,
        trained.map(({ weight }) => weight),
      );
      for (const { weight, slot } of trained) {
        slot.assign(tf.add(tf.mul(slot, 0.9), grads[weight.name]!));
        weight.assign(tf.sub(weight, tf.mul(slot, learningRate!)));
      }
      return { loss: value };
    },
  };
}

/** Scaled by the number of inputs; ones for scales and variances, zeros for biases and means. */
function initial(shape: readonly number[], size: number, name: string, key: number): Float32Array {
  if (shape.length > 1) {
    const fanIn = size / shape.at(-1)!;
    return numbers(size, 'weights', key).map((x) => x / Math.sqrt(fanIn));
  }
  return new Float32Array(size).fill(/gamma|variance/.test(name) ? 1 : 0);
}

async function expectSameTraining(
  model: LayersModel,
  batch: number,
  inputShape: readonly number[],
  vocabulary?: number,
): Promise<void> {
  const program = trainingStep(model, batch, inputShape, vocabulary !== undefined);
  const compiled = await createOnnxRuntimeEngine({ device: 'cpu', threads: 2 }).compile(program);
  const reference = await eagerEngine.compile(program);
  const count = inputShape.reduce((n, dim) => n * dim, batch);
  let [first, last] = [0, 0];
  for (let step = 0; step < stepsOf(inputShape); step++) {
    // Two batches in turn, so that the loss falls.
    const normal = numbers(count, 'x', step % 2);
    const labels = new Float32Array(batch * CLASSES);
    for (let i = 0; i < batch; i++) labels[i * CLASSES + ((i + step) % 2) + (i % 3)] = 1;
    const x =
      vocabulary === undefined ? normal : Int32Array.from(normal, (v) => Math.floor(Math.abs(v) * 1000) % vocabulary);
    const feeds = { x, labels, learningRate: Float32Array.of(0.02) };
    const ours = (await compiled.run(feeds)).loss![0] as number;
    const theirs = (await reference.run(feeds)).loss![0] as number;
    expectClose([ours], [theirs], 1e-4);
    if (step === 0) first = theirs;
    last = theirs;
  }
  expect(last).toBeLessThan(first);
  const [ours, theirs] = [await compiled.state(), await reference.state()];
  for (const [name, { data }] of theirs) expectClose(ours.get(name)!.data as Float32Array, data as Float32Array, 1e-4);
  await compiled.dispose();
}

const conv = (filters: number, more: object = {}): tfl.layers.Layer =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', ...more });

function cnn(batchNorm: boolean): LayersModel {
  const norm = (): tfl.layers.Layer[] => (batchNorm ? [layers.batchNormalization()] : []);
  return tfl.sequential({
    layers: [
      conv(4, { inputShape: [8, 8, 1] }),
      ...norm(),
      layers.maxPooling2d({ poolSize: 2 }),
      conv(6),
      ...norm(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: CLASSES }),
    ],
  });
}

function depthwiseSeparable(): LayersModel {
  const relu = (): tfl.layers.Layer => layers.activation({ activation: 'relu' });
  const block = (filters: number, strides: number): tfl.layers.Layer[] => [
    layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', useBias: false }),
    layers.batchNormalization(),
    relu(),
    layers.conv2d({ filters, kernelSize: 1, useBias: false }),
    layers.batchNormalization(),
    relu(),
  ];
  return tfl.sequential({
    layers: [
      conv(4, { inputShape: [9, 9, 2], strides: 2 }),
      ...block(6, 1),
      ...block(8, 2),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: CLASSES }),
    ],
  });
}

/** He et al. 2016, 6n + 2 layers with n = 1, narrow. */
function resnet8(): LayersModel {
  const input = tfl.input({ shape: [8, 8, 3] });
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]): tfl.SymbolicTensor =>
    layer.apply(x) as tfl.SymbolicTensor;
  const convolved = (x: tfl.SymbolicTensor, filters: number, strides: number, kernelSize = 3): tfl.SymbolicTensor =>
    apply(
      layers.batchNormalization(),
      apply(layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }), x),
    );
  const relu = (x: tfl.SymbolicTensor): tfl.SymbolicTensor => apply(layers.reLU(), x);
  let x = relu(convolved(input, 4, 1));
  for (const [filters, strides] of [
    [4, 1],
    [8, 2],
    [16, 2],
  ] as const) {
    // prettier-ignore
    const inner = convolved(relu(convolved(x, filters, strides)), filters, 1);
    const shortcut = strides === 1 ? x : convolved(x, filters, strides, 1);
    x = relu(apply(layers.add(), [inner, shortcut]));
  }
  const logits = apply(layers.dense({ units: CLASSES }), apply(layers.globalAveragePooling2d({}), x));
  return tfl.model({ inputs: input, outputs: logits });
}

/** Self-attention with one head; tfjs-layers' own attention has no gradient. */
class SelfAttention extends tfl.layers.Layer {
  static readonly className = 'SelfAttention';
  readonly #weights: tfl.LayerVariable[] = [];

  override build(inputShape: tfl.Shape): void {
    const width = inputShape.at(-1)!;
    for (const name of ['query', 'key', 'value', 'output'])
      this.#weights.push(this.addWeight(name, [width, width], 'float32', tfl.initializers.glorotNormal({})));
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs)!;
    const [batch, time, width] = x.shape as [number, number, number];
    const times = (a: tf.Tensor, i: number): tf.Tensor =>
      tf.reshape(
        tf.matMul(tf.reshape<tf.Rank.R2>(a, [batch * time, width]), this.#weights[i]!.read() as tf.Tensor2D),
        a.shape,
      );
    const [query, key, value] = [0, 1, 2].map((i) => times(x, i)) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const scores = tf.softmax(tf.div(tf.matMul(query, key, false, true), Math.sqrt(width)));
    return times(tf.matMul(scores, value), 3);
  }

  override computeOutputShape(inputShape: tfl.Shape): tfl.Shape {
    return inputShape;
  }
}

function transformer(): LayersModel {
  const input = tfl.input({ shape: [6], dtype: 'int32' });
  let x = layers.embedding({ inputDim: 11, outputDim: 8 }).apply(input) as tfl.SymbolicTensor;
  for (let i = 0; i < 2; i++) {
    const attended = new SelfAttention({}).apply(layers.layerNormalization().apply(x)) as tfl.SymbolicTensor;
    x = layers.add().apply([x, attended]) as tfl.SymbolicTensor;
    const wide = layers.dense({ units: 16, activation: 'gelu' }).apply(layers.layerNormalization().apply(x));
    x = layers.add().apply([x, layers.dense({ units: 8 }).apply(wide) as tfl.SymbolicTensor]) as tfl.SymbolicTensor;
  }
  const pooled = layers.globalAveragePooling1d().apply(x);
  return tfl.model({ inputs: input, outputs: layers.dense({ units: CLASSES }).apply(pooled) as tfl.SymbolicTensor });
}

const dense = (units: number, more: object = {}): tfl.layers.Layer => layers.dense({ units, ...more });

describe("training steps agree with tfjs' cpu backend", () => {
  const cases: readonly (readonly [string, () => LayersModel, number, number[], number?])[] = [
    [
      'mlp',
      () =>
        tfl.sequential({
          layers: [
            dense(16, { inputShape: [12], activation: 'relu' }),
            dense(16, { activation: 'relu' }),
            dense(CLASSES),
          ],
        }),
      8,
      [12],
    ],
    ['cnn', () => cnn(false), 4, [8, 8, 1]],
    ['cnn with batch norm', () => cnn(true), 4, [8, 8, 1]],
    ['depthwise separable cnn', depthwiseSeparable, 4, [9, 9, 2]],
    ['resnet8', resnet8, 2, [8, 8, 3]],
    [
      'gru',
      () => tfl.sequential({ layers: [layers.gru({ units: 6, inputShape: [5, 3] }), dense(CLASSES)] }),
      4,
      [5, 3],
    ],
    [
      'lstm',
      () => tfl.sequential({ layers: [layers.lstm({ units: 6, inputShape: [5, 3] }), dense(CLASSES)] }),
      4,
      [5, 3],
    ],
    ['2-layer transformer encoder', transformer, 4, [6], 11],
  ];
  for (const [name, build, batch, shape, vocabulary] of cases) {
    it(name, () => expectSameTraining(build(), batch, shape, vocabulary));
  }
});
