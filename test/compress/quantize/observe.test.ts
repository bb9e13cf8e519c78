import { observe } from '../../../src/compress/quantize/observe.ts';
import { openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { floats, sketch } from '../../formats/tflite/support.ts';

/** The square root of values below zero is no number. */
const roots = sketch((g) => g.op('Relu', [g.op('Sqrt', [g.input('x', floats('batch', 4))])]));
const ofRows = (...rows: readonly (readonly number[])[]) => ({
  length: rows.length,
  *[Symbol.iterator]() {
    for (const row of rows) yield { x: { data: Float32Array.from(row), shape: [1, 4] } };
  },
});
const found = (...rows: readonly (readonly number[])[]) =>
  observe(roots, ofRows(...rows), { limits: new Map(), open: openerOf(sessionOptions('cpu', { threads: 1 })) });

it('names values that are no number in any sample, and gives them no histogram', async () => {
  const { histograms, notFinite } = await found([1, 4, 9, 16], [1, -4, 9, 16]);
  expect(notFinite).toContain('Sqrt_1');
  expect(histograms.has('Sqrt_1')).toBe(false);
  expect(histograms.get('x')).toMatchObject({ min: -4, max: 16 });
});

it('gives ranges of all samples', async () => {
  const { histograms, notFinite } = await found([1, 4, 9, 16], [0, 25, 1, 1]);
  expect(notFinite).toEqual([]);
  expect(histograms.get('Sqrt_1')).toMatchObject({ min: 0, max: 5 });
});
