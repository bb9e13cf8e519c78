import type { TfliteOptions } from '../../../src/formats/tflite/export.ts';
import type { Sketch } from './support.ts';
import { expectClose, exported, floats, operators, randomFeeds, reference, run, sketch } from './support.ts';

const SAME3 = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const image = (g: Sketch, channels = 3): string => g.input('x', floats('batch', 6, 6, channels));
const conv = (g: Sketch, x: string, filter: number[], attrs = SAME3): string =>
  g.op('Conv2D', [x, g.weights(filter)], attrs);
const norm = (g: Sketch, x: string, c: number): string =>
  g.op('FusedBatchNorm', [x, g.weights([c]), g.positive([c]), g.weights([c]), g.positive([c])], { epsilon: 1e-3 });
const dense = (g: Sketch, x: string, weights: number[]): string =>
  g.op('BatchMatMul', [x, g.weights(weights)], { transposeA: false, transposeB: false });

interface Case {
  readonly build: (g: Sketch) => string | readonly string[];
  readonly operators: string[];
  readonly options?: TfliteOptions;
}

const cases: Record<string, Case> = {
  'convolution, bias and relu are one operator': {
    build: (g) => g.op('Relu', [g.op('Add', [conv(g, image(g), [3, 3, 3, 4]), g.weights([4])])]),
    operators: ['CONV_2D+RELU'],
  },
  'convolution, batch norm and relu6 are one operator': {
    build: (g) => g.op('Relu6', [norm(g, conv(g, image(g), [3, 3, 3, 4]), 4)]),
    operators: ['CONV_2D+RELU6'],
  },
  'what is taken off a convolution is a bias': {
    build: (g) => g.op('Sub', [conv(g, image(g), [3, 3, 3, 4]), g.weights([4])]),
    operators: ['CONV_2D'],
  },
  'a relu and then a relu6 are a relu6': {
    build: (g) => g.op('Relu6', [g.op('Relu', [conv(g, image(g), [3, 3, 3, 4])])]),
    operators: ['CONV_2D+RELU6'],
  },
  'a relu and then a clip to [-1, 1] stay two': {
    build: (g) =>
      g.op('ClipByValue', [g.op('Relu', [conv(g, image(g), [3, 3, 3, 4])])], { clipValueMin: -1, clipValueMax: 1 }),
    operators: ['CONV_2D+RELU', 'RELU_N1_TO_1'],
  },
  'depthwise convolution with a multiplier takes up bias and batch norm': {
    build: (g) => {
      const y = g.op('DepthwiseConv2dNative', [image(g), g.weights([3, 3, 3, 2])], SAME3);
      return norm(g, g.op('Add', [y, g.weights([6])]), 6);
    },
    operators: ['DEPTHWISE_CONV_2D'],
  },
  'transposed convolution takes up batch norm, not the relu behind it': {
    build: (g) => {
      const attrs = {
        strides: [2, 2],
        dilations: [1, 1],
        pads: [0, 1, 0, 1],
        inputShape: ['batch', 12, 12, 4] as const,
      };
      return g.op('Relu', [norm(g, g.op('Conv2DBackpropInput', [image(g), g.weights([3, 3, 4, 3])], attrs), 4)]);
    },
    operators: ['TRANSPOSE_CONV', 'RELU'],
  },
  'an intermediate that is an output too is kept': {
    build: (g) => {
      const y = conv(g, image(g), [3, 3, 3, 4]);
      return [y, g.op('Relu', [y])];
    },
    operators: ['CONV_2D', 'RELU'],
  },
  'a bias that differs from pixel to pixel stays an addition': {
    build: (g) => g.op('Add', [conv(g, image(g), [3, 3, 3, 4]), g.weights([6, 4])]),
    operators: ['CONV_2D', 'ADD'],
  },
  'a product of two layers is not taken for a batch norm': {
    build: (g) => {
      const x = image(g);
      return g.op('Multiply', [conv(g, x, [3, 3, 3, 4]), conv(g, x, [1, 1, 3, 4], { ...SAME3, pads: [0, 0, 0, 0] })]);
    },
    operators: ['CONV_2D', 'CONV_2D', 'MUL'],
  },
  'a residual addition takes up its relu': {
    build: (g) => {
      const x = image(g);
      return g.op('Relu', [g.op('Add', [conv(g, x, [3, 3, 3, 3]), x])]);
    },
    operators: ['CONV_2D', 'ADD+RELU'],
  },
  'zero padding before a strided convolution, as Keras writes it, is SAME padding': {
    build: (g) => {
      const padded = g.op('Pad', [image(g)], { paddings: [0, 0, 0, 1, 0, 1, 0, 0], constantValue: 0 });
      const attrs = { strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };
      return g.op('DepthwiseConv2dNative', [padded, g.weights([3, 3, 3, 1])], attrs);
    },
    operators: ['DEPTHWISE_CONV_2D'],
  },
  'a dense layer on a sequence, written with reshapes, is one operator': {
    build: (g) => {
      const flat = g.op('Reshape', [g.input('x', floats('batch', 5, 6))], { shape: ['5*batch', 6] });
      const y = g.op('Reshape', [dense(g, flat, [6, 4])], { shape: ['batch', 5, 4] });
      return g.op('Relu', [g.op('Add', [y, g.weights([4])])]);
    },
    operators: ['FULLY_CONNECTED+RELU'],
  },
  'a batch norm behind a dense layer, written with reshapes, is taken up': {
    build: (g) => {
      const y = g.op('Add', [dense(g, g.input('x', floats('batch', 6)), [6, 4]), g.weights([4])]);
      const wide = g.op('Reshape', [y], { shape: ['batch', 1, 1, 4] });
      return g.op('Relu', [g.op('Reshape', [norm(g, wide, 4)], { shape: ['batch', 4] })]);
    },
    operators: ['FULLY_CONNECTED+RELU'],
  },
  'x · relu6(x + 3) / 6 is a hard swish': {
    build: (g) => {
      const x = image(g);
      const gate = g.op('HardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 });
      return g.op('Multiply', [x, gate]);
    },
    operators: ['HARD_SWISH'],
  },
  'reshapes that undo each other vanish': {
    build: (g) => {
      const there = g.op('Reshape', [g.op('Tanh', [image(g)])], { shape: ['batch', 108] });
      return g.op('Neg', [g.op('Reshape', [there], { shape: ['batch', 6, 6, 3] })]);
    },
    operators: ['TANH', 'NEG'],
  },
  'an input handed straight back is copied': { build: (g) => image(g), operators: ['RESHAPE'] },
  'two outputs of one value are two tensors': {
    build: (g) => {
      const y = g.op('Tanh', [image(g)]);
      return [y, y];
    },
    operators: ['TANH', 'RESHAPE'],
  },
};

describe('fusing', () => {
  it.each(Object.keys(cases))('%s', async (name) => {
    const { build, operators: expected, options } = cases[name]!;
    const graph = sketch(build);
    const bytes = exported(graph, options);
    expect(operators(bytes)).toEqual(expected);
    const feeds = randomFeeds(graph, 3);
    const [actual, wanted] = [await run(bytes, feeds), reference(graph, feeds)];
    for (const output of graph.outputs.keys()) expectClose(actual[output]!, wanted[output]!, 1e-5);
  });
});
