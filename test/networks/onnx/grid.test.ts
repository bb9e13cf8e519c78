import * as tf from '@tensorflow/tfjs-core';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import type { OnnxNetworkOptions } from '../../../src/networks/onnx/onnx.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';

beforeAll(() => useLazyBackend(evaluator));

const [SIZE, CLASSES] = [8, 3];

interface Ending {
  /** Rows and columns of the last resize. Default: no resize. */
  readonly size?: readonly [number, number];
  readonly alignCorners?: boolean;
  readonly order?: 'nchw' | 'nhwc';
  readonly op?: string;
}

/** A segmenter whose logits at stride 4 are the sum of two convolutions, as those of LR-ASPP are. */
function segmenter({ size, alignCorners = false, order = 'nchw', op }: Ending = {}) {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', SIZE, SIZE, 2] });
  const conv = (name: string): string => {
    const weights = (shape: readonly number[], part: string): string => {
      const count = shape.reduce((product, one) => product * one, 1);
      return b.constant({ dtype: 'float32', shape }, Float32Array.from({ length: count }, (_, i) => Math.cos(i + name.length)), `${name}.${part}`); // prettier-ignore
    };
    const attrs = { strides: [4, 4], dilations: [1, 1], pads: [0, 0, 0, 0] };
    const y = b.op('Conv2D', [x, weights([4, 4, 2, CLASSES], 'weight')], attrs, name);
    return b.op('Add', [y, weights([CLASSES], 'bias')], {}, name);
  };
  let y = b.op('Add', [conv('low'), conv('highs')]);
  if (op !== undefined) y = b.op(op, [y], { axis: -1 });
  if (size) y = b.op('ResizeBilinear', [y], { size, alignCorners, halfPixelCenters: !alignCorners }, 'enlarged');
  b.output('out', order === 'nchw' ? b.op('Transpose', [y], { perm: [0, 3, 1, 2] }) : y);
  return decodeModel(encodeModel(lowerToOnnx(b.build(), { opset: 17 })), 'm.onnx');
}

function read(ending: Ending, options: Partial<OnnxNetworkOptions> = {}): ModelNetwork {
  const usual = { inputShape: [SIZE, SIZE, 2], classes: CLASSES, seed: 1, head: 'keep', freeze: [] } as const;
  return onnxNetwork(segmenter(ending), 'm.onnx', { ...usual, grid: [2, 2, CLASSES], ...options });
}

function logits(network: ModelNetwork): tf.Tensor4D {
  const input = tf.tensor(Float32Array.from({ length: 2 * SIZE * SIZE * 2 }, (_, i) => Math.sin(3 * i)), [2, SIZE, SIZE, 2]); // prettier-ignore
  return network.forward({ input }, { training: false }).outputs['logits'] as tf.Tensor4D;
}

const values = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];
const small = (): tf.Tensor4D => logits(read({ order: 'nhwc' }));
const expectSame = (found: tf.Tensor, expected: tf.Tensor): void => {
  expect(found.shape).toEqual(expected.shape);
  const wanted = values(expected);
  values(found).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 4));
};

it.each([
  ['channels first', {}],
  ['channels last', { order: 'nhwc' }],
  ['enlarged to the size of the picture', { size: [8, 8] }],
  ['enlarged, channels last', { size: [8, 8], order: 'nhwc' }],
] as const)('answers with the logits of the file at their own stride: %s', (_, ending) => {
  const network = read(ending);
  expectSame(logits(network), small());
  const note = /^m\.onnx: enlarged\S* at its end, which enlarges its logits, is left off: masks are made of the smaller ones by the same enlargement$/; // prettier-ignore
  expect(network.origin!.some((text) => note.test(text))).toBe('size' in ending);
  expect(Object.keys(network.layers).some((layer) => layer.startsWith('enlarged'))).toBe(false);
});

it('resizes logits of another stride to the grid of the data', () => {
  const network = read({ size: [8, 8] }, { grid: [4, 4, CLASSES] });
  expectSame(logits(network), tf.image.resizeBilinear(small(), [4, 4], false, true));
  expect(network.origin).toContain('m.onnx: its logits are resized from 2×2 to 4×4, the grid of dataset.stride');
});

it('keeps an enlargement of other coordinates than those by which masks are made', () => {
  const aligned = tf.image.resizeBilinear(small(), [8, 8], true);
  expectSame(logits(read({ size: [8, 8], alignCorners: true })), tf.image.resizeBilinear(aligned, [2, 2], false, true));
});

it('draws both convolutions anew whose sum the logits are', () => {
  const network = read({ size: [8, 8] }, { head: 'replace', grid: [2, 2, 5], classes: 5 });
  expect(logits(network).shape).toEqual([2, 2, 2, 5]);
  expect(network.origin!.at(-1)).toMatch(/its last layers \S*low\S* and \S*highs\S* are drawn anew: 5 outputs instead of 3/); // prettier-ignore
  expect(values(network.state['low.weight']!)).not.toEqual(values(network.state['highs.weight']!));
});

it.each([
  ['other classes', {}, { grid: [2, 2, 4] as const, classes: 4 }, 'm.onnx: expected logits of the 4 classes of the data for each pixel, [batch, height, width, 4] or [batch, 4, height, width], received out [batch, 3, 2, 2]'], // prettier-ignore
  ['probabilities', { op: 'Softmax' }, {}, /m\.onnx: expected logits, received a model that ends in .* \(Softmax\)/],
  ['probabilities that are enlarged', { op: 'Softmax', size: [8, 8] }, {}, /m\.onnx: expected logits, received a model that ends in .* \(Softmax\)/], // prettier-ignore
] as const)('refuses %s', (_, ending, options, message) => {
  expect(() => read(ending, options)).toThrow(message);
});
