import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../src/base/random.ts';
import { decodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import type { PointAnswers } from '../../../src/networks/onnx/points.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { asYolov8, detectorFile, renamedOutputs } from '../../support/detectors.ts';

beforeAll(() => useLazyBackend(evaluator));

const [SIDE, CLASSES, POINTS] = [32, 3, 16 + 4 + 1];
const random = new RandomStream('points');
const pictures = Float32Array.from({ length: 2 * SIDE * SIDE * 3 }, () => random.uniform());

const own = (): Uint8Array => detectorFile(SIDE, CLASSES);

/** What ONNX Runtime gives for the pictures. */
async function answersOf(bytes: Uint8Array): Promise<Record<string, number[]>> {
  const file = new InferenceModel(bytes, 'm.onnx', { executionProviders: ['cpu'] });
  const found = await file.run({ [file.inputs[0]!.name]: { data: pictures, shape: [2, SIDE, SIDE, 3] } });
  file.dispose();
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

function read(bytes: Uint8Array, detector: Partial<PointAnswers> = {}) {
  return onnxNetwork(decodeModel(bytes, 'm.onnx'), 'm.onnx', {
    ...{ inputShape: [SIDE, SIDE, 3], classes: CLASSES, seed: 1, head: 'keep', freeze: [] },
    detector: { points: POINTS, picture: [SIDE, SIDE], ...detector },
  });
}

it.each([
  ['of our outputs', own, {}],
  ['of outputs with other names', () => renamedOutputs(own(), { boxes: 'sides', scores: 'classes' }), { outputs: { boxes: 'sides', scores: 'classes' } }],
  ['of centres and probabilities in pixels', () => asYolov8(own(), SIDE), { decoder: { layout: 'yolov8' } }],
  ['of centres and probabilities in shares', () => asYolov8(own(), 1), { decoder: { layout: 'yolov8', unit: 'shares' } }],
] as const)('answers with the boxes and logits of a file %s, and trains all of its weights', async (_, bytes, detector) => {
  const network = read(bytes(), detector);
  expect(Object.entries(network.outputs).map(([name, { shape }]) => [name, shape])).toEqual([
    ['boxes', ['batch', POINTS, 4]],
    ['scores', ['batch', POINTS, CLASSES]],
  ]);
  // Boxes and scores have no tensor in common, of which int8 would have one scale.
  const joins = network.graph!.value.nodes.filter(({ op, attrs }) => op === 'Concat' && attrs['axis'] === 2);
  expect(joins.length).toBe('decoder' in detector ? 1 : 0);
  const input = tf.tensor(pictures, [2, SIDE, SIDE, 3]);
  const { outputs } = network.forward({ input }, { training: false });
  const expected = await answersOf(own());
  for (const name of ['boxes', 'scores'])
    [...outputs[name]!.dataSync()].forEach((value, i) => expect(value).toBeCloseTo(expected[name]![i]!, 4));
  const { grads } = tf.variableGrads(() => {
    const made = network.forward({ input }, { training: true }).outputs;
    return tf.add<tf.Scalar>(tf.sum(tf.square(made["boxes"]!)), tf.sum(tf.square(made["scores"]!)));
  });
  expect(Object.keys(grads)).toHaveLength(Object.keys(network.trainable).length);
  // Read at once: each value that is read is a graph of its own.
  const sizes = tf.stack(Object.values(grads).map((gradient) => tf.sum(tf.abs(gradient)))).dataSync();
  expect(sizes.every((size) => size > 0 && Number.isFinite(size))).toBe(true);
}); // prettier-ignore

it.each([
  ['one output where two are asked for', () => asYolov8(own(), SIDE), {}, 'expected boxes [batch, 21, 4] and scores [batch, 21, 3] for the 21 cells of 8, 16 and 32 pixels in pictures of 32×32, received output0 [batch, 7, 21]'],
  ['other points', () => own(), { points: 20 }, 'received boxes [batch, 21, 4], scores [batch, 21, 3]'],
  ['two outputs where one is asked for', () => own(), { decoder: { layout: 'yolov8' } }, 'expected an output [batch, 7, 21] of sides and 3 classes'],
  ['scores without a sigmoid in the layout of one output', () => asYolov8(own(), SIDE, 'HardSigmoid'), { decoder: { layout: 'yolov8' } }, 'received scores that end in'],
  ['a softmax over the classes', () => asYolov8(own(), SIDE, 'Softmax'), { decoder: { layout: 'yolov8' } }, 'received scores that end in'],
] as const)('refuses %s', (_, bytes, detector, message) => {
  expect(() => read(bytes(), detector)).toThrow(message);
}); // prettier-ignore
