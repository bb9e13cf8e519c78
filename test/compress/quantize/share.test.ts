import { channelAxisOf, shareScales, tinyEnds } from '../../../src/compress/quantize/share.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { asymmetric } from '../../../src/graph/quantization.ts';
import type { Attrs, Graph } from '../../../src/graph/types.ts';

const WINDOW = { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };

function graphOf(op: string, attrs: Attrs): Graph {
  const b = new GraphBuilder();
  b.output('y', b.op(op, [b.input('x', { dtype: 'float32', shape: ['batch', 4, 4, 2] })], attrs));
  return b.build();
}

/** Scales that the result of an operator is given, beside those of its operand and of its own. */
function scalesOf(op: string, attrs: Attrs, symmetric = false) {
  const graph = graphOf(op, attrs);
  const y = graph.outputs.get('y')!;
  const [given, own] = [asymmetric(-3, 5, 'int8'), asymmetric(-1, 2, 'int8')];
  const shared = shareScales(graph, new Map([['x', given], [y, own]]), symmetric); // prettier-ignore
  expect(shared.get('x')).toBe(given);
  return { shared: shared.get(y), given, own };
}

it.each<[string, Attrs]>([
  ['MaxPool', WINDOW],
  ['AvgPool', WINDOW],
  ['Reshape', { shape: ['batch', 32] }],
  ['Transpose', { perm: [0, 2, 1, 3] }],
  ['Slice', { begin: [0, 1, 0, 0], size: [-1, 2, -1, -1] }],
])('%s leaves the scales of what it reads', (op, attrs) => {
  const { shared, given } = scalesOf(op, attrs);
  expect(shared).toBe(given);
});

// https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec
it.each<[string, Attrs, number, number]>([
  ['Softmax', { axis: -1 }, 1 / 256, -128],
  ['Sigmoid', {}, 1 / 256, -128],
  ['Tanh', {}, 1 / 128, 0],
])('%s has the scale and the zero point that TFLite prescribes, unless all are symmetric', (op, attrs, scale, zero) => {
  expect(scalesOf(op, attrs).shared).toEqual({ dtype: 'int8', scales: [scale], zeroPoints: [zero] });
  const { shared, own } = scalesOf(op, attrs, true);
  expect(shared).toBe(own);
});

it('results far below the prescribed step keep scales of their own, and are told where they leave the model', () => {
  const graph = graphOf('Sigmoid', {});
  const y = graph.outputs.get('y')!;
  const given = (max: number) => new Map([[y, asymmetric(0, max, 'int8')]]);
  expect(shareScales(graph, given(1 / 20)).get(y)).toEqual(given(1 / 20).get(y));
  expect(tinyEnds(graph, given(1 / 20))).toEqual(graph.nodes);
  expect(shareScales(graph, given(1 / 10)).get(y)!.scales).toEqual([1 / 256]);
  expect(tinyEnds(graph, given(1 / 10))).toEqual([]);
});

it('Relu has scales of its own', () => {
  const { shared, own } = scalesOf('Relu', {});
  expect(shared).toBe(own);
});

it('dense layers have their outputs on the last axis, or on the one before it where the matrix is transposed', () => {
  const product = (transposeB: boolean) => ({ op: 'BatchMatMul', inputs: [], outputs: [], attrs: { transposeB } });
  expect(channelAxisOf(product(false), 2, 'channel')).toBe(1);
  expect(channelAxisOf(product(true), 2, 'channel')).toBe(0);
  // ONNX Runtime's kernel knows one scale for a stack.
  expect(channelAxisOf(product(true), 3, 'channel')).toBeUndefined();
  expect(channelAxisOf(product(false), 2, 'tensor')).toBeUndefined();
});
