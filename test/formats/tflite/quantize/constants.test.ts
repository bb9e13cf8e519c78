import { exportTflite } from '../../../../src/formats/tflite/export.ts';
import { asymmetric, symmetric } from '../../../../src/graph/quantization.ts';
import { expectClose, floats, operators, reference, run, sketch } from '../support.ts';
import type { Sketch } from '../support.ts';

const PLAIN = { transposeA: false, transposeB: false };
const POINT = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
const x = Float32Array.of(-2, 0.5, 3, 1, -1, 2);

/** Scores in -3 … 3, of which a mask takes two; the result of `build` is called `masked`. */
const scores = (build: (g: Sketch, x: string) => readonly [op: string, inputs: readonly string[]]) =>
  sketch((g) => {
    const [op, inputs] = build(g, g.input('x', floats('batch', 6)));
    const [masked] = g.node(op, inputs, {}, { outputs: ['masked'] });
    return g.op('Softmax', [masked!], { axis: 1 });
  });
const mask = (g: Sketch, value: number): string =>
  g.constant(floats(6), Float32Array.of(0, 0, 0, value, 0, value), 'mask');

it.each([
  ['added', scores((g, from) => ['Add', [from, mask(g, -1e9)]])],
  ['added first', scores((g, from) => ['Add', [mask(g, -1e9), from]])],
  ['added as minus infinity', scores((g, from) => ['Add', [from, mask(g, -Infinity)]])],
  ['subtracted', scores((g, from) => ['Sub', [from, mask(g, 1e9)]])],
  ['subtracted from', scores((g, from) => ['Sub', [mask(g, -1e9), from]])],
  [
    'chosen',
    scores((g, from) => [
      'Select',
      [
        g.constant({ dtype: 'bool', shape: [6] }, Uint8Array.of(1, 1, 1, 0, 1, 0)),
        from,
        g.constant(floats(), Float32Array.of(-1e9)),
      ],
    ]),
  ],
])('a stored mask that is %s leaves the scores beside it what they are in int8', async (_, graph) => {
  const quantization = new Map([
    ['x', asymmetric(-3, 3, 'int8')],
    ['masked', asymmetric(-13, 3, 'int8')],
    [[...graph.outputs.values()][0]!, asymmetric(0, 1, 'int8')],
  ]);
  const { bytes, skipped } = exportTflite(graph, { precision: 'integer', quantization });
  expect([skipped, operators(bytes).at(-2)]).toEqual([[], 'SOFTMAX']);
  expectClose((await run(bytes, { x })).y0!, reference(graph, { x }).y0!, 0.03);
});

it('a constant that stands for minus infinity before a maximum leaves what it meets its steps', async () => {
  const graph = sketch((g) => {
    const isKept = g.constant({ dtype: 'bool', shape: [6] }, Uint8Array.of(1, 1, 0, 1, 1, 1));
    const least = g.constant(floats(), Float32Array.of(-1e9));
    const from = g.input('x', floats('batch', 6));
    const [masked] = g.node('Select', [isKept, from, least], {}, { outputs: ['masked'] });
    return g.op('Max', [masked!], { axes: [1], keepDims: false });
  });
  const quantization = new Map([
    ['x', asymmetric(-3, 3, 'int8')],
    ['masked', asymmetric(-1e9, 3, 'int8')],
    [[...graph.outputs.values()][0]!, asymmetric(-3, 3, 'int8')],
  ]);
  const { bytes } = exportTflite(graph, { precision: 'integer', quantization });
  expectClose((await run(bytes, { x })).y0!, reference(graph, { x }).y0!, 0.03);
});

/** The last two of three channels have weights that vanished, and a bias. */
const silent = (
  op: string,
  shape: readonly number[],
  input: readonly ('batch' | number)[],
  attrs: Readonly<Record<string, boolean | readonly number[]>>,
) =>
  sketch((g) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const weights = Float32Array.from({ length: size }, (_, i) => [0.5, 1e-12, 1e-42][i % 3]! * (i < 3 ? 1 : -1));
    const y = g.op(op, [g.input('x', floats(...input)), g.constant(floats(...shape), weights)], attrs);
    return g.op('Add', [y, g.constant(floats(3), Float32Array.of(0.25, 1, -0.5))]);
  });

it.each([
  ['convolution', silent('Conv2D', [1, 1, 2, 3], ['batch', 1, 3, 2], POINT)],
  ['depthwise convolution', silent('DepthwiseConv2dNative', [1, 1, 3, 1], ['batch', 1, 2, 3], POINT)],
  ['dense layer', silent('BatchMatMul', [2, 3], ['batch', 3, 2], PLAIN)],
])('a %s keeps the bias of a channel whose weights have vanished', async (_, graph) => {
  const [y] = graph.outputs.values();
  const quantization = new Map([
    ['x', asymmetric(-3, 3, 'int8')],
    [y!, asymmetric(-3, 3, 'int8')],
  ]);
  const { bytes, skipped } = exportTflite(graph, { precision: 'integer', quantization, dense: 'channel' });
  expect(skipped).toEqual([]);
  expectClose((await run(bytes, { x })).y0!, reference(graph, { x }).y0!, 0.03);
  const wide = new Map([...quantization.keys()].map((name) => [name, symmetric([3], 'int16')]));
  const { bytes: int16 } = exportTflite(graph, { precision: 'integer', quantization: wide });
  expectClose((await run(int16, { x }, 'native')).y0!, reference(graph, { x }).y0!, 0.03);
});

it.each(['Add', 'Sub'])('terms of %s far beyond its result stay in float32, as kernels would abort', (op) => {
  const graph = sketch((g) => g.op(op, [g.input('x', floats('batch', 4)), g.input('z', floats('batch', 4))]));
  const [y] = graph.outputs.values();
  const far = asymmetric(-1e9, 1e9, 'int8');
  const quantization = new Map([
    ['x', far],
    ['z', far],
    [y!, asymmetric(-1, 1, 'int8')],
  ]);
  const { skipped } = exportTflite(graph, { precision: 'integer', quantization });
  expect(skipped).toEqual([{ what: op.toUpperCase(), why: 'its scales lie too far apart for integers' }]);
});

it('an operation that the runtime cannot compute is an error, not what lies in the memory of its result', async () => {
  const graph = sketch((g) =>
    g.op('GatherV2', [g.weights([4, 2]), g.input('ids', { dtype: 'int32', shape: ['batch', 3] })], {
      axis: 0,
      batchDims: 0,
    }),
  );
  const { bytes } = exportTflite(graph);
  await expect(run(bytes, { ids: Int32Array.of(4, 0, 1) })).rejects.toThrow(
    /LiteRT could not compute the model: .*index/,
  );
  expectClose(
    (await run(bytes, { ids: Int32Array.of(3, 0, 1) })).y0!,
    reference(graph, { ids: Int32Array.of(3, 0, 1) }).y0!,
  );
});
