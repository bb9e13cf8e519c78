import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { transposeData } from '../../src/formats/onnx/lower/layout.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { backboneNetwork } from '../../src/networks/backbone/backbone.ts';
import type { BackboneFreeze } from '../../src/networks/backbone/backbone.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel, models } from '../../src/networks/models/registry.ts';
import type { ModelNetwork } from '../../src/networks/network.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime/engine.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';
import { arraysOf, errorOf, matched, normOf } from './zoo-training.ts';
import type { Arrays } from './zoo-training.ts';

/** Heads by name: the model, what it answers for, and the stages that it reads. */
const HEADS = {
  boxes: {
    model: 'det-nano',
    args: { answersPer: 'point', classes: 3 },
    answers: ['boxes', 'scores'],
    stages: [8, 16, 32],
  },
  masks: {
    model: 'seg-lraspp',
    args: { answersPer: 'pixel', classes: 3, stride: 4 },
    answers: undefined,
    stages: [8, 16],
  },
  vectors: { model: 'mobilenet-v2', args: { classes: 16 }, answers: undefined, stages: [32] },
} as const;
const SIZE = 64;
const inputShape = [SIZE, SIZE, 3];

let folder = '';
let arrays: Arrays;
/** Error of PyTorch's gradients in float32, of the weight that is furthest off: inputs of ReLU6 near its kinks, where rounding decides. */
let float32 = 0;
/** Learning rate of gradient descent. */
let rate = 0;

beforeAll(() => {
  useLazyBackend(evaluator);
  folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  ({ float32, rate } = runPython('zoo_backbone.py', folder) as { readonly float32: number; readonly rate: number });
  arrays = arraysOf(path.join(folder, 'backbone.npz'));
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const toLast = (key: string): Float32Array => {
  const { shape, data } = arrays.get(key)!;
  return transposeData(data, shape, [0, 2, 3, 1]) as Float32Array;
};

function networkOf(
  { model, args, answers }: (typeof HEADS)[keyof typeof HEADS],
  name = 'backbone.onnx',
  freeze: BackboneFreeze = 'none',
): ModelNetwork {
  const source = decodeModel(readFileSync(path.join(folder, name)), name);
  return backboneNetwork(source, name, {
    freeze,
    inputShape,
    seed: 1,
    classes: args.classes,
    strides: models[model]!.strides!,
    answers,
    headOn: (features) => layersNetwork(buildModel(model, { inputShape, seed: 1, features, ...args })),
  });
}

/** Feature maps in training and in evaluation, the loss of PyTorch's script, its gradients by weight, and a step of gradient descent where asked. */
function program(network: ModelNetwork, stages: readonly number[], batch: number): StepProgram {
  const layers = network.origin!.flatMap(
    (note) => /: (\S+) gives the feature map at stride (\d+)/.exec(note)?.slice(1) ?? [],
  );
  const layerAt = (stride: number): string => layers[layers.indexOf(String(stride)) - 1]!;
  const names = stages.map(layerAt);
  const shapes = stages.map((stride) => [
    batch,
    SIZE / stride,
    SIZE / stride,
    network.layers[layerAt(stride)]!.shape.at(-1)!,
  ]);
  // The file may hand on its feature maps with their channels first.
  const last = (one: tf.Tensor, i: number): tf.Tensor => (String(one.shape) === String(shapes[i]) ? one : tf.transpose(one, [0, 2, 3, 1])); // prettier-ignore
  const seen = (x: tf.Tensor, training: boolean): tf.Tensor[] => {
    const found = network.forward({ input: x }, { training, layers: names }).layers;
    return names.map((name, i) => last(found[name]!, i));
  };
  const channels = { 8: 40, 16: 112, 32: 320 } as Readonly<Record<number, number>>;
  return {
    feeds: {
      x: { dtype: 'float32', shape: [batch, ...inputShape] },
      rate: { dtype: 'float32', shape: [] },
      ...Object.fromEntries(stages.map((stride) => [`c${stride}`, { dtype: 'float32', shape: [batch, SIZE / stride, SIZE / stride, channels[stride]!] } as const])), // prettier-ignore
    },
    state: network.state,
    run: (feeds) => {
      const answered = seen(feeds['x']!, false);
      let maps: tf.Tensor[] = [];
      const own = Object.entries(network.trainable).filter(([name]) => !name.startsWith('head/'));
      const { grads } = tf.variableGrads(() => {
        maps = seen(feeds['x']!, true).map((one) => tf.keep(tf.clone(one)));
        return tf.addN<tf.Scalar>(maps.map((one, i) => tf.sum(tf.mul(one, feeds[`c${stages[i]!}`]!))));
      }, own.map(([, variable]) => variable)); // prettier-ignore
      const named = own.flatMap(([key, variable]) => (grads[variable.name] === undefined ? [] : [[key, variable, grads[variable.name]!] as const])); // prettier-ignore
      for (const [, variable, grad] of named) variable.assign(tf.sub(variable, tf.mul(grad, feeds['rate']!)));
      return Object.fromEntries([
        ...maps.map((one, i) => [`f${stages[i]!}`, one] as const),
        ...answered.map((one, i) => [`e${stages[i]!}`, one] as const),
        ...named.map(([key, , grad]) => [`d ${key}`, grad] as const),
      ]);
    },
  };
}

it.each(Object.keys(HEADS) as (keyof typeof HEADS)[])(
  'under a head of %s: feature maps, gradients and three steps are those of PyTorch',
  async (name) => {
    const { stages } = HEADS[name];
    const network = networkOf(HEADS[name]);
    const { shape, data } = arrays.get('x')!;
    const batch = shape[0]!;
    const x = transposeData(data, shape, [0, 2, 3, 1]) as Float32Array;
    const feeds = { x, ...Object.fromEntries(stages.map((stride) => [`c${stride}`, toLast(`c/stage${stride}`)])) };
    const taken = new Set<string>();
    const before = Object.entries(network.trainable).filter(([key]) => !key.startsWith('head/'));
    const match = new Map(before.map(([key, one]) => [key, matched(one.dataSync().slice() as Float32Array, arrays, taken, undefined, key)])); // prettier-ignore
    const step = await createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }).compile(program(network, stages, batch));
    const first = await step.run({ ...feeds, rate: Float32Array.of(name === 'boxes' ? rate : 0) });
    const errors = stages.map((stride) => ({
      evaluated: errorOf(first[`e${stride}`] as Float32Array, toLast(`e/stage${stride}`)),
      trained: errorOf(first[`f${stride}`] as Float32Array, toLast(`f/stage${stride}`)),
    }));
    for (const { evaluated, trained } of errors) {
      expect(evaluated).toBeLessThan(1e-5);
      expect(trained).toBeLessThan(1e-4);
    }
    // A head that reads fewer stages has another loss than the script's.
    if (name === 'boxes') {
      // A bias before a batch norm has no gradient but rounding.
      const norms = [...match.values()].map((found) => (found === undefined ? 0 : normOf(arrays.get(`g/${found.key}`)!.data))); // prettier-ignore
      const floor = 1e-6 * Math.max(...norms);
      const gradients = [...match].flatMap(([key, found]) => (found === undefined ? [] : [errorOf(first[`d ${key}`] as Float32Array, found.turned(arrays.get(`g/${found.key}`)!.data), floor)])); // prettier-ignore
      expect(gradients.length).toBe([...arrays.keys()].filter((key) => key.startsWith('p/')).length);
      console.log(
        JSON.stringify({ features: errors, worst: Math.max(...gradients), float32, weights: gradients.length }),
      );
      expect(Math.max(...gradients)).toBeLessThan(Math.max(1e-3, 3 * float32));
      for (let i = 0; i < 2; i++) await step.run({ ...feeds, rate: Float32Array.of(rate) });
      const state = await step.state();
      // All weights together: single ones hardly move, and are rounded to float32 at each step.
      const [wanted, given] = [[], []] as [number[], number[]];
      for (const [key, found] of match) {
        if (found === undefined) continue;
        const [start, end] = ['p', 'm'].map((kind) => found.turned(arrays.get(`${kind}/${found.key}`)!.data)) as [Float32Array, Float32Array]; // prettier-ignore
        const reached = state.get(key)!.data as Float32Array;
        end.forEach((value, i) => {
          wanted.push(value - start[i]!);
          given.push(reached[i]! - start[i]!);
        });
      }
      const moved = errorOf(given, wanted);
      console.log(`three steps: ${moved}`);
      expect(moved).toBeLessThan(1e-2);
    }
    await step.dispose();
  },
  300_000,
);

it('biases of a frozen layer that the exporter left out are not trained either', () => {
  const trained = (freeze: BackboneFreeze): string[] =>
    Object.keys(networkOf(HEADS.masks, 'untrained.onnx', freeze).trainable);
  const isFirst = (name: string): boolean => /^(conv1|bn1|layer[12])\b/.test(name);
  const all = trained('none');
  expect(all).toContain('layer2.1.bn2.bias');
  expect(trained({ until: 'node_relu_8' })).toEqual(all.filter((name) => !isFirst(name)));
});
