import { exportTflite } from '../../../../src/formats/tflite/export.ts';
import type { TfliteOptions } from '../../../../src/formats/tflite/export.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { calibrated } from '../calibrate.ts';
import type { Sketch } from '../support.ts';
import { expectClose, floats, operators, randomFeeds, reference, run, sketch } from '../support.ts';

const PLAIN = { transposeA: false, transposeB: false };
const sum = (g: Sketch, x: string): string => g.op('Sum', [g.op('Square', [x])], { axes: [1], keepDims: true });

function integers(graph: Graph, options: TfliteOptions = {}) {
  const quantization = calibrated(graph, [randomFeeds(graph)]);
  const made = exportTflite(graph, { precision: 'integer', quantization, ...options });
  return { ...made, operators: operators(made.bytes) };
}

it('leaves float32 what only float32 operations give to float32 operations', async () => {
  const graph = sketch((g) => {
    const x = g.op('Relu', [g.input('x', floats('batch', 6))]);
    return g.op('RealDiv', [x, g.op('Maximum', [sum(g, x), g.constant(floats(), Float32Array.of(1))])]);
  });
  const made = integers(graph);
  expect(made.skipped.map(({ what }) => what)).toEqual(['SQUARE', 'DIV']);
  expect(made.operators).toEqual(['QUANTIZE', 'RELU', 'DEQUANTIZE', 'SQUARE', 'SUM', 'MAXIMUM', 'DIV']);
  const feeds = randomFeeds(graph);
  expectClose((await run(made.bytes, feeds)).y0!, reference(graph, feeds).y0!, 0.02);
});

it('takes integers where an integer operation reads the result, or the program hands it out', () => {
  const bounded = sketch((g) => g.op('Tanh', [sum(g, g.input('x', floats('batch', 6)))]));
  expect(integers(bounded).operators).toEqual(['SQUARE', 'QUANTIZE', 'SUM', 'TANH', 'DEQUANTIZE']);
  const alone = sketch((g) => sum(g, g.input('x', floats('batch', 6))));
  expect(integers(alone, { ends: 'int8' }).operators).toEqual(['DEQUANTIZE', 'SQUARE', 'QUANTIZE', 'SUM']);
});

it.each([1, 2])('leaves a product float32 that costs no more than the conversion of its operands: %d rows', (rows) => {
  const graph = sketch((g) => {
    const weights = g.op('Square', [g.input('w', floats('batch', rows, 6))]);
    const x = g.op('Relu', [g.input('x', floats('batch', 6, 4))]);
    return g.op('Square', [g.op('BatchMatMul', [weights, x], PLAIN)]);
  });
  const made = integers(graph).operators;
  const [before, after] = rows === 1 ? [['DEQUANTIZE'], []] : [['QUANTIZE'], ['DEQUANTIZE']];
  expect(made.slice(-2 - before.length - after.length)).toEqual([...before, 'BATCH_MATMUL', ...after, 'SQUARE']);
});

it('leaves float32 what is divided by: 8 bits would round a small one to 0', async () => {
  const graph = sketch((g) => {
    const x = g.op('Relu', [g.input('x', floats('batch', 6))]);
    const size = g.op('Mean', [g.op('Multiply', [x, x])], { axes: [1], keepDims: true });
    return g.op('RealDiv', [x, g.op('Sqrt', [g.op('Add', [size, g.constant(floats(), Float32Array.of(1e-5))])])]);
  });
  const made = integers(graph);
  expect(made.operators.slice(1)).toEqual(['RELU', 'DEQUANTIZE', 'MUL', 'MEAN', 'ADD', 'SQRT', 'DIV']);
  expect(integers(graph, { ends: 'int8' }).operators.slice(-2)).toEqual(['DIV', 'QUANTIZE']);
  const blank = { x: new Float32Array(6) };
  expect([...(await run(made.bytes, blank)).y0!]).toEqual([0, 0, 0, 0, 0, 0]);
});

it('16 bits know no scale for logarithms of a softmax beforehand', async () => {
  const graph = sketch((g) => {
    const x = g.op('LogSoftmax', [g.input('x', floats('batch', 6))], { axis: 1 });
    const w = g.constant(
      floats(6, 3),
      Float32Array.from({ length: 18 }, (_, i) => Math.cos(i)),
    );
    return g.op('BatchMatMul', [x, w], PLAIN);
  });
  const feeds = randomFeeds(graph);
  const { bytes } = exportTflite(graph, { precision: 'integer', quantization: calibrated(graph, [feeds], 'int16') });
  expectClose((await run(bytes, feeds)).y0!, reference(graph, feeds).y0!, 0.05);
});
