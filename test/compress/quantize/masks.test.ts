import { beforeSoftmax, unmasked, widenForMasks } from '../../../src/compress/quantize/masks.ts';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { simulateTflite } from '../../support/tflite-simulate/simulate.ts';
import { openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { floats, sketch } from '../../formats/tflite/support.ts';

/** Scores and a mask of 0 and 1, and what attention makes of them. */
const attention = sketch((g) => {
  const away = g.op('Multiply', [g.input('mask', floats('batch', 4)), g.constant(floats(), Float32Array.of(-1e9))]);
  const sum = g.op('Add', [g.input('scores', floats('batch', 4)), away]);
  return g.op('Softmax', [sum], { axis: 1 });
});
const feeds = { scores: Float32Array.of(3, -2, 1, -1), mask: Float32Array.of(0, 0, 1, 0) };

it('are looked for on the way to a softmax alone', () => {
  expect([...beforeSoftmax(attention)].sort()).toEqual(['Add_1', 'Multiply_1', 'const_1', 'mask', 'scores']);
  const other = sketch((g) => g.op('Relu', [g.op('Add', [g.input('x', floats('batch', 4)), g.weights([4])])]));
  expect(beforeSoftmax(other).size).toBe(0);
});

it('are left out of the values', () => {
  expect([...unmasked(Float32Array.of(1, -1e9, -5))]).toEqual([1, -5]);
  const values = Float32Array.of(1, -5);
  expect(unmasked(values)).toBe(values);
});

it('get a range that puts a masked score ten below all others', () => {
  const ranges = new Map([
    ['Add_1', { min: -2, max: 3 }],
    ['Multiply_1', { min: 0, max: 0 }],
    ['scores', { min: -2, max: 3 }],
  ]);
  widenForMasks(attention, new Set(['Add_1', 'Multiply_1']), ranges);
  expect(Object.fromEntries(ranges)).toEqual({
    Add_1: { min: -12, max: 3 },
    Multiply_1: { min: -15, max: 0 },
    scores: { min: -2, max: 3 },
  });
});

it('hide in int8 what they hide in float32, and nothing else', async () => {
  const shape = [1, 4];
  const samples = [{ scores: { data: feeds.scores, shape }, mask: { data: feeds.mask, shape } }];
  const session = sessionOptions('cpu', { threads: 1 });
  const { result: quantization } = await quantize(attention, samples, {
    calibrator: 'minmax',
    open: openerOf(session),
  });
  const { bytes } = exportTflite(attention, { precision: 'integer', quantization });
  const powers = [Math.exp(3), Math.exp(-2), 0, Math.exp(-1)];
  const whole = powers.reduce((a, b) => a + b, 0);
  const { y0 } = simulateTflite(bytes, feeds).outputs;
  powers.forEach((power, i) => expect(Math.abs(Number(y0![i]) - power / whole)).toBeLessThanOrEqual(2 / 256));
});
