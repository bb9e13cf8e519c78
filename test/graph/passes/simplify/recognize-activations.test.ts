import * as tf from '@tensorflow/tfjs-core';
import { recognizeActivations } from '../../../../src/graph/passes/simplify/recognize-activations.ts';
import { traceFunction } from '../../../../src/trace/trace.ts';
import { expectSameResults, float32, opsOf } from '../../../support/graphs.ts';

type Fn = (x: tf.Tensor) => tf.Tensor;

const tanhInner: Fn = (x) => tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.pow(x, 3))));

const squared: Fn = (x) => {
  const most = tf.max(x, 1);
  return tf.add(most, tf.log(tf.sum(tf.exp(tf.sub(x, most)), 1)));
};

const CASES: readonly (readonly [string, Fn, string[]])[] = [
  ['Swish', (x) => tf.mul(x, tf.sigmoid(x)), ['Swish']],
  ['Swish, gate first', (x) => tf.mul(tf.sigmoid(x), x), ['Swish']],
  ['Swish as tfjs-layers writes it', (x) => tf.mul(tf.sigmoid(tf.mul(x, 1)), x), ['Swish']],
  [
    'Gelu as tfjs-layers writes it',
    (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.sqrt(2)))))),
    ['Gelu'],
  ],
  ['Gelu, half of x first', (x) => tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2)))), ['Gelu']],
  ['Gelu by tanh', (x) => tf.mul(x, tf.mul(0.5, tf.add(1, tf.tanh(tanhInner(x))))), ['Gelu']],
  ['HardSigmoid as tfjs-layers writes it', (x) => tf.clipByValue(tf.add(tf.mul(0.2, x), 0.5), 0, 1), ['HardSigmoid']],
  ['HardSigmoid by relu6', (x) => tf.div(tf.relu6(tf.add(x, 3)), 6), ['HardSigmoid']],
  ['HardSwish', (x) => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)), ['HardSwish']],
  ['HardSwish, divided last', (x) => tf.div(tf.mul(x, tf.relu6(tf.add(x, 3))), 6), ['HardSwish']],
  ['Relu6 as a clip', (x) => tf.clipByValue(x, 0, 6), ['Relu6']],
  ['Relu6 as a minimum', (x) => tf.minimum(tf.relu(x), 6), ['Relu6']],
  ['Relu6 of a relu', (x) => tf.relu6(tf.relu(x)), ['Relu6']],
  ['Relu6 as a clip of a relu, as tfjs-layers writes it', (x) => tf.clipByValue(tf.relu(x), 0, 6), ['Relu6']],
  ['Relu as a maximum', (x) => tf.maximum(x, 0), ['Relu']],
  ['LogSumExp', (x) => tf.logSumExp(x, -1), ['LogSumExp']],
  ['LogSumExp that keeps the axis', (x) => tf.logSumExp(x, 0, true), ['LogSumExp', 'Reshape']],
  ['LogSoftmax', (x) => tf.sub(x, tf.logSumExp(x, -1, true)), ['LogSoftmax']],
];

describe('activation patterns', () => {
  it.each(CASES)('%s', (_, fn, ops) => {
    const graph = traceFunction(({ x }) => ({ y: fn(x!) }), { x: float32(4, 5) });
    const after = recognizeActivations(graph);
    expect(opsOf(after)).toEqual(ops);
    expectSameResults(after, graph);
  });

  it.each<[string, Fn, string]>([
    ['the gate of another value', (x) => tf.mul(x, tf.sigmoid(tf.add(x, 1))), 'Swish'],
    ['a gate of another slope', (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 2))), 'Swish'],
    ['other limits', (x) => tf.clipByValue(x, 0, 5), 'Relu6'],
    ['another shift', (x) => tf.mul(x, tf.div(tf.relu6(tf.add(x, 2)), 6)), 'HardSwish'],
    ['a result that broadcasting made larger', (x) => tf.maximum(tf.sum(x, 0, true), tf.zeros([4, 5])), 'Relu'],
    ['maxima of rows taken from columns, in a square', (x) => squared(tf.slice(x, [0, 0], [4, 4])), 'LogSumExp'],
  ])('do not take %s', (_, fn, op) => {
    const graph = traceFunction(({ x }) => ({ y: fn(x!) }), { x: float32(4, 5) });
    expect(opsOf(recognizeActivations(graph))).not.toContain(op);
  });

  it('take the gradient of a relu', () => {
    const graph = traceFunction(({ x, dy }) => ({ y: tf.mul(dy!, tf.step(x!)) }), {
      x: float32(4, 5),
      dy: float32(4, 5),
    });
    const after = recognizeActivations(graph);
    expect(opsOf(after)).toEqual(['ReluGrad']);
    expectSameResults(after, graph);
  });
});
