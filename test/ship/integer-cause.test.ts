import { exportTflite } from '../../src/formats/tflite/export.ts';
import { integerCause } from '../../src/ship/integer-cause.ts';
import { calibrated } from '../formats/tflite/calibrate.ts';
import { floats, randomFeeds, run, sketch } from '../formats/tflite/support.ts';

const graph = sketch((g) => {
  const x = g.input('x', floats('batch', 6));
  const first = g.op('Tanh', [g.op('BatchMatMul', [x, g.weights([6, 5])], { transposeA: false, transposeB: false })]);
  return [first, g.op('Relu', [first])];
});
const values = [
  { name: 'y0', layer: 'first' },
  { name: 'y1', layer: 'second' },
];
const feeds = randomFeeds(graph) as Record<string, Float32Array>;
const quantization = calibrated(graph, [feeds]);
const { bytes } = exportTflite(graph, { precision: 'integer', quantization });

it('puts it down to the 8 bits where LiteRT computes what the file asks for', async () => {
  expect(integerCause(bytes, feeds, await run(bytes, feeds), values)).toContain('8 bits are too few');
});

it('names the first layer that is computed otherwise', async () => {
  const actual = await run(bytes, feeds);
  const step = quantization.get(graph.outputs.get('y1')!)!.scales[0]!;
  const wrong = { ...actual, y1: actual.y1!.map((value) => value + 3 * step) };
  expect(integerCause(bytes, feeds, wrong, values)).toBe(
    '; LiteRT computes second and what follows otherwise than the file asks for',
  );
  const off = { ...actual, y1: actual.y1!.map((value) => value + step) };
  expect(integerCause(bytes, feeds, off, values)).toContain('8 bits are too few');
});

it('says nothing about operators that are not simulated', async () => {
  const net = sketch((g) => g.op('TopK', [g.input('x', floats('batch', 6))], { k: 2 }));
  const file = exportTflite(net, { precision: 'integer', quantization: calibrated(net, [feeds]) }).bytes;
  expect(integerCause(file, feeds, await run(file, feeds), values)).toBe('');
});
