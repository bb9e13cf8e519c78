import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { beyondLimits, saturationLimits } from '../../../src/compress/quantize/saturation.ts';
import { heldRange } from '../../../src/graph/quantization.ts';
import type { Attrs } from '../../../src/graph/types.ts';
import { openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { floats, sketch } from '../../formats/tflite/support.ts';

/** A sum that a function reads, and `others` too. */
const read = (op: string, attrs: Attrs, ...others: string[]) =>
  sketch((g) => {
    const sum = g.op('Add', [g.input('x', floats('batch', 4)), g.weights([4])]);
    return [op, ...others]
      .map((one, i) => g.op(one, [sum], i === 0 ? attrs : {}))
      .reduce((a, b) => g.op('Add', [a, b]));
  });

it.each<[string, Attrs, number, number]>([
  ['HardSwish', {}, -3, Infinity],
  ['Gelu', { approximate: false }, -5, Infinity],
  ['Swish', {}, -10, Infinity],
  ['HardSigmoid', { alpha: 0.25, beta: 0.5 }, -2, 2],
  ['HardSigmoid', { alpha: 0.25, beta: -1 }, 0, 8],
  ['HardSigmoid', { alpha: -0.25, beta: 0.5 }, -Infinity, Infinity],
  ['ClipByValue', { clipValueMin: -1, clipValueMax: 2 }, -1, 2],
  ['ClipByValue', { clipValueMin: 1, clipValueMax: 2 }, 0, 2],
])('%s of %j limits what it alone reads', (op, attrs, min, max) => {
  expect(saturationLimits(read(op, attrs)).get('Add_1')).toEqual({ min, max });
  expect(saturationLimits(read(op, attrs, 'HardSwish')).get('Add_1')).toEqual({
    min: Math.min(min, -3),
    max: Infinity,
  });
  expect(saturationLimits(read(op, attrs, 'Abs')).has('Add_1')).toBe(false);
});

it('an output of the model has no limits', () => {
  const graph = read('HardSwish', {});
  expect(saturationLimits({ ...graph, outputs: new Map([...graph.outputs, ['sum', 'Add_1']]) }).size).toBe(0);
});

it('steps of 8 bits are spread over what a hard swish tells apart', async () => {
  const graph = sketch((g) => g.op('HardSwish', [g.op('Neg', [g.input('x', floats('batch', 4))])]));
  const samples = [{ x: { data: Float32Array.of(40, 3.5, -1, -2, 90, 2, -2, 1), shape: [2, 4] } }];
  const session = sessionOptions('cpu', { threads: 1 });
  for (const calibrator of ['minmax', 'mse'] as const) {
    const { result } = await quantize(graph, samples, { calibrator, open: openerOf(session) });
    const [low, high] = heldRange(result.get(graph.nodes[0]!.outputs[0]!)!);
    expect(low).toBeGreaterThan(-3.1);
    expect(low).toBeLessThanOrEqual(-3);
    expect(high).toBeCloseTo(2, 1);
  }
});

it('an end that is a limit is a step further out, so that the rounding of the zero point does not cut it off', () => {
  const limits = { min: -3, max: 3 };
  expect(beyondLimits({ min: -3, max: 2.1 }, limits)).toEqual({ min: -3.02, max: 2.1 });
  expect(beyondLimits({ min: -2.1, max: 3 }, limits)).toEqual({ min: -2.1, max: 3.02 });
  expect(beyondLimits({ min: -3, max: 2.1 }, undefined)).toEqual({ min: -3, max: 2.1 });
  expect(beyondLimits({ min: 0, max: 2.1 }, { min: 0, max: 6 })).toEqual({ min: 0, max: 2.1 });
});
