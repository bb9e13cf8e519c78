import * as tf from '@tensorflow/tfjs-core';
import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { atBatch } from '../../../src/graph/passes/inputs/at-batch.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { BACKEND_NAME } from '../../../src/trace/backend.ts';
import { setEvaluator } from '../../../src/trace/evaluate.ts';
import { install } from '../../../src/trace/install.ts';
import { interpret } from '../../../src/trace/interpret/interpret.ts';
import { numbers } from '../../support/graphs.ts';
import * as attention from '../../support/onnx-cases/attention.ts';
import * as places from '../../support/onnx-cases/places.ts';
import type { Case, Step } from '../../support/onnx-steps.ts';
import { expectSame, modelOf } from '../../support/onnx-steps.ts';

const CASES = Object.entries({ ...places.placeCases, ...attention.attentionCases });
const stored = { ...places.stored, ...attention.stored };

/** What they give jumps from one number to another, or is no number of x at all. */
const STEPS = new Set([
  'classes as rows of zeros and ones',
  'a one at the largest',
  'the last of equal places',
  'the rest of a division',
]);

/** Along a random direction: the product of the gradient with it, and the difference of what the model gives by its length. */
function slopes([dims, fed, steps, opset]: Case): { gradient: number; difference: number } {
  const graph = atBatch(importOnnx(modelOf(dims, stored, steps, opset), 'm.onnx'), fed[0]!);
  const count = fed.reduce((a, b) => a * b, 1);
  const mixed = (x: tf.Tensor): tf.Scalar => {
    const y = interpret(graph, { x }).outputs['y']!;
    return tf.sum(tf.mul(y, tf.tensor(numbers(y.size, 'mix'), y.shape)));
  };
  const [x, direction] = ['x', 'direction'].map((seed) => tf.tensor(numbers(count, seed), [...fed])) as [
    tf.Tensor,
    tf.Tensor,
  ];
  const gradient = tf.sum(tf.mul(tf.grad(mixed)(x), direction)).dataSync()[0]!;
  const step = 1e-3;
  const [after, before] = [step, -step].map((by) => mixed(tf.add(x, tf.mul(direction, by))).dataSync()[0]!) as [
    number,
    number,
  ];
  return { gradient, difference: (after - before) / (2 * step) };
}

describe('what a file looks up, puts in or attends to', () => {
  it.each(CASES)('gives what ONNX Runtime gives: %s', async (_, [dims, fed, steps, opset]) => {
    await expectSame(modelOf(dims, stored, steps, opset), fed);
  });

  describe('has a gradient that finite differences agree with', () => {
    beforeAll(() => {
      install();
      setEvaluator(evaluator);
      void tf.engine().setBackend(BACKEND_NAME);
    });

    it.each(CASES.filter(([name]) => !STEPS.has(name)))('%s', (_, one) => {
      const { gradient, difference } = tf.tidy(() => slopes(one));
      expect(Math.abs(difference)).toBeGreaterThan(0);
      expect(Math.abs(gradient - difference) / Math.max(1, Math.abs(difference))).toBeLessThan(1e-2);
    });
  });

  it.each([
    [
      'an unknown way to sample',
      [['GridSample', ['x', 'grid'], { mode: 'spline' }]],
      /GridSample\): its attribute mode is spline/,
    ],
    [
      'a product at places that are computed',
      [
        ['ArgMax', ['x'], { axis: 1 }],
        ['ScatterElements', ['x', 'y0', 'y0'], { axis: 1, reduction: 'mul' }],
      ],
      /ScatterElements\): its attribute reduction is mul, at places that are computed/,
    ],
    [
      'heads that do not fit',
      [['Attention', ['x', 'key', 'value']]],
      /Attention\): its query is \[2, 4, 5\] for 0 heads/,
    ],
  ] as [string, Step[], RegExp][])('is refused by node and operator: %s', (_, steps, message) => {
    expect(() => importOnnx(modelOf([2, 4, 5], stored, steps, 18), 'm.onnx')).toThrow(message);
  });
});
