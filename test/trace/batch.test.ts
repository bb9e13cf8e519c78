import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { UserError } from '../../src/base/errors.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import type { Graph } from '../../src/graph/types.ts';
import { traceWithBatch } from '../../src/trace/batch.ts';
import { install } from '../../src/trace/install.ts';
import type { StepProgram } from '../../src/trace/program.ts';
import { traceProgram } from '../../src/trace/trace.ts';
import { useCpu } from '../support/cpu.ts';
import { float32 } from '../support/graphs.ts';

beforeAll(async () => {
  install();
  await useCpu();
});

type Fn = (x: tf.Tensor) => tf.Tensor;

function program(fn: Fn, shape: readonly number[], state: StepProgram['state'] = {}): (batch: number) => StepProgram {
  return (batch) => ({ feeds: { x: float32(batch, ...shape) }, state, run: ({ x }) => ({ y: fn(x!) }) });
}

/** Every type of the symbolic graph, at a batch size that it was not traced at, is what a trace at that size has. */
function expectSameTypesAt(batch: number, symbolic: Graph, make: (batch: number) => StepProgram): void {
  const fixed = traceProgram(make(batch));
  expect(symbolic.nodes.map(({ op }) => op)).toEqual(fixed.nodes.map(({ op }) => op));
  for (const [name, { shape }] of symbolic.types)
    expect([name, withBatch(shape, batch)]).toEqual([name, fixed.types.get(name)!.shape]);
}

function modelOf(...layers: tfl.layers.Layer[]): { fn: Fn; state: Record<string, tf.Variable> } {
  const model = tfl.sequential({ layers });
  const state = Object.fromEntries(
    model.weights.map((weight, i) => [`w${i}`, weight.read() as unknown as tf.Variable]),
  );
  return { fn: (x) => model.apply(x) as tf.Tensor, state };
}

describe('a program traced with a symbolic batch', () => {
  it('has batch in its shapes and attributes', () => {
    const graph = traceWithBatch(program((x) => tf.reshape(x, [-1, 2]), [3, 4]));
    expect(graph.inputs.get('x')!.shape).toEqual(['batch', 3, 4]);
    expect(graph.nodes[0]!.attrs.shape).toEqual(['6*batch', 2]);
  });

  it.each<[string, readonly number[], () => tfl.layers.Layer[]]>([
    [
      'a convolutional net',
      [8, 8, 1],
      () => [
        tfl.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [8, 8, 1], activation: 'relu' }),
        tfl.layers.maxPooling2d({ poolSize: 2 }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    ],
    [
      'depthwise convolution and batch norm',
      [6, 6, 2],
      () => [
        tfl.layers.depthwiseConv2d({ kernelSize: 3, inputShape: [6, 6, 2] }),
        tfl.layers.batchNormalization(),
        tfl.layers.globalAveragePooling2d({}),
      ],
    ],
    [
      'a transposed convolution',
      [4, 4, 2],
      () => [tfl.layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, inputShape: [4, 4, 2] })],
    ],
    [
      'a GRU over a sequence',
      [5, 3],
      () => [tfl.layers.gru({ units: 4, inputShape: [5, 3] }), tfl.layers.dense({ units: 2 })],
    ],
    [
      'an LSTM that gives sequences',
      [5, 3],
      () => [tfl.layers.lstm({ units: 4, returnSequences: true, inputShape: [5, 3] })],
    ],
  ])('fits %s', (_, shape, layers) => {
    const { fn, state } = modelOf(...layers());
    const make = program(fn, shape, state);
    expectSameTypesAt(4, traceWithBatch(make), make);
  });

  it('keeps the batch in the product of self-attention', () => {
    const make = program((x) => tf.matMul(tf.softmax(tf.matMul(x, x, false, true)), x), [5, 3]);
    expectSameTypesAt(4, traceWithBatch(make), make);
  });

  it.each<[string, Fn, RegExp]>([
    [
      'a mean over the batch',
      (x) => tf.div(tf.sum(x), x.shape[0]),
      /the constant const_1 is 23 at batch 23 and 29 at batch 29/,
    ],
    ['an attribute', (x) => tf.tile(x, [x.shape[0], 2]), /Tile: reps is 23,2 at batch 23/],
    ['the number of ops', (x) => tf.addN(tf.unstack(x)), /Split: sizes is|ops at batch 23 and/],
    ['half of the batch', (x) => tf.slice(x, 0, Math.floor(x.shape[0] / 2)), /Slice: size is 11,-1 at batch 23/],
  ])('refuses %s', (_, fn, message) => {
    expect(() => traceWithBatch(program(fn, [4]))).toThrow(message);
    expect(() => traceWithBatch(program(fn, [4]))).toThrow(UserError);
  });
});
