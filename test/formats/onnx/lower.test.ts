import { UserError } from '../../../src/base/errors.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Dim, Graph, Shape, TensorType } from '../../../src/graph/types.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import type { Model } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { SessionEvaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { expectClose, values } from './ops/harness.ts';

const float = (...shape: Dim[]): TensorType => ({ dtype: 'float32', shape });
const same = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const pool = { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };

function stored(b: GraphBuilder, shape: number[], seed: number): string {
  return b.constant(
    float(...shape),
    values(
      shape.reduce((n, size) => n * size, 1),
      seed,
      -0.5,
      0.5,
    ),
  );
}

/** Convolutions with bias, batch norm, a residual sum, both poolings, concatenation, padding and a dense layer. */
function cnn(batch: Dim): Graph {
  const b = new GraphBuilder();
  const conv = (x: string, from: number, to: number, seed: number): string =>
    b.op('Add', [b.op('Conv2D', [x, stored(b, [3, 3, from, to], seed)], same), stored(b, [to], seed + 1)]);
  const x = b.input('x', float(batch, 8, 8, 3));
  const first = b.op('Relu', [conv(x, 3, 4, 1)]);
  const normal = b.op(
    'FusedBatchNorm',
    [
      conv(first, 4, 4, 3),
      ...[5, 6, 7, 8].map((seed) => (seed === 6 ? b.constant(float(4), values(4, 6, 0.5, 1)) : stored(b, [4], seed))),
    ],
    { epsilon: 0.001 },
  );
  const sum = b.op('Relu6', [b.op('Add', [normal, first])]);
  const pooled = b.op('MaxPool', [sum], pool);
  const depthwise = b.op(
    'DepthwiseConv2dNative',
    [b.op('Pad', [pooled], { paddings: [0, 0, 1, 1, 1, 1, 0, 0], constantValue: 0 }), stored(b, [3, 3, 4, 1], 9)],
    { ...same, pads: [0, 0, 0, 0] },
  );
  const both = b.op('Concat', [pooled, b.op('Swish', [depthwise])], { axis: 3 });
  const scaled = b.op('Multiply', [both, b.op('Sigmoid', [b.op('Mean', [both], { axes: [1, 2], keepDims: true })])]);
  const average = b.op('AvgPool', [scaled], pool);
  const flat = b.op('Reshape', [average], { shape: [batch, 32] });
  const dense = b.op('BatchMatMul', [flat, stored(b, [32, 5], 10)], { transposeA: false, transposeB: false });
  b.output('probabilities', b.op('Softmax', [b.op('Add', [dense, stored(b, [5], 11)])], { axis: 1 }));
  return b.build();
}

function countOf(model: Model, op: string): number {
  return model.graph.nodes.filter((node) => node.op === op).length;
}

async function runWith(model: Model, feeds: Record<string, { data: Float32Array; shape: number[] }>) {
  const session = new InferenceModel(encodeModel(model), 'm.onnx', { intraOpNumThreads: 1 });
  const results = await session.run(feeds);
  session.dispose();
  return results;
}

describe('an inference graph', () => {
  it('has no transpose but that of its input', () => {
    const model = lowerToOnnx(cnn('batch'));
    expect(countOf(model, 'Transpose')).toBe(1);
    expect(model.graph.nodes.find(({ op }) => op === 'Transpose')!.inputs).toEqual(['x']);
  });

  it('has its biases inside convolution and product', () => {
    const model = lowerToOnnx(cnn('batch'));
    const inputs = model.graph.nodes
      .filter(({ op }) => op === 'Conv' || op === 'Gemm')
      .map((node) => node.inputs.length);
    expect(inputs).toEqual([3, 3, 2, 3]);
    // What is left is the residual sum.
    expect(countOf(model, 'Add')).toBe(1);
  });

  it.each([3, 1])('has a bias that is stored as a row of %d inside a product', async (columns) => {
    const b = new GraphBuilder();
    const product = b.op('BatchMatMul', [b.input('x', float('batch', 4)), stored(b, [4, columns], 1)], {
      transposeA: false,
      transposeB: false,
    });
    b.output('y', b.op('Add', [product, stored(b, [1, columns], 2)]));
    const graph = b.build();
    const model = lowerToOnnx(graph);
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(['Gemm']);
    const x = values(8, 3, -1, 1);
    const session = new InferenceModel(encodeModel(model), 'm.onnx', {});
    const { y } = await session.run({ x: { data: x, shape: [2, 4] } });
    session.dispose();
    const { w, r } = { w: values(4 * columns, 1, -0.5, 0.5), r: values(columns, 2, -0.5, 0.5) };
    const at = (row: number, column: number): number =>
      [0, 1, 2, 3].reduce((sum, i) => sum + x[row * 4 + i]! * w[i * columns + column]!, r[column]!);
    const expected = Float32Array.from({ length: 2 * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
    expectClose(y!.data, expected, 1e-5);
  });

  it('adds a matrix in a product where that is asked for, which is not in files', async () => {
    const builder = new GraphBuilder();
    const [x, flat] = [builder.input('x', float(3, 2)), builder.input('flat', float(6))];
    const matrix = stored(builder, [3, 2], 1);
    const product = (a: string, b: string, transposeA: boolean): string =>
      builder.op('BatchMatMul', [a, b], { transposeA, transposeB: false });
    builder.output('y', builder.op('Add', [x, product(matrix, product(x, matrix, true), false)]));
    // What is added comes behind the product here, and one row is added to three there.
    const early = product(matrix, product(matrix, x, true), false);
    builder.output('late', builder.op('Add', [early, builder.op('Exp', [x])]));
    const reshaped = product(matrix, product(x, x, true), false);
    builder.output('reshaped', builder.op('Add', [builder.op('Reshape', [flat], { shape: [3, 2] }), reshaped]));
    const sums = builder.op('Sum', [x], { axes: [1], keepDims: true });
    builder.output('z', builder.op('Add', [product(sums, matrix, true), matrix]));
    const [file, step] = [lowerToOnnx(builder.build()), lowerToOnnx(builder.build(), { addsMatrices: true })];
    expect([countOf(file, 'Add'), countOf(step, 'Add')]).toEqual([4, 2]);
    const feeds = { x: { data: values(6, 2), shape: [3, 2] }, flat: { data: values(6, 3), shape: [6] } };
    const [expected, results] = [await runWith(file, feeds), await runWith(step, feeds)];
    for (const name of ['y', 'late', 'reshaped', 'z']) expectClose(results[name]!.data, expected[name]!.data);
  });

  it('moves a transpose of batches of matrices from the larger operand to the smaller in a training step', async () => {
    const builder = new GraphBuilder();
    const [large, small] = [builder.input('large', float(2, 3, 5, 7)), builder.input('small', float(1, 3, 5, 2))];
    const product = (a: string, b: string, transposeA: boolean, transposeB: boolean): string =>
      builder.op('BatchMatMul', [a, b], { transposeA, transposeB });
    const tall = product(large, small, true, false);
    builder.output('tall', tall);
    builder.output('wide', product(small, large, true, false));
    builder.output('both', product(tall, builder.op('Exp', [large]), true, true));
    const [file, step] = [lowerToOnnx(builder.build()), lowerToOnnx(builder.build(), { addsMatrices: true })];
    const moved = ({ graph }: Model): unknown[] =>
      graph.nodes.flatMap(({ op, inputs }) => (op === 'Transpose' ? inputs : []));
    expect(moved(file)).toContain('large');
    expect(moved(step)).not.toContain('large');
    const feeds = {
      large: { data: values(210, 2), shape: [2, 3, 5, 7] },
      small: { data: values(30, 3), shape: [1, 3, 5, 2] },
    };
    const [expected, results] = [await runWith(file, feeds), await runWith(step, feeds)];
    for (const name of ['tall', 'wide', 'both']) {
      expect(results[name]!.shape).toEqual(expected[name]!.shape);
      expectClose(results[name]!.data, expected[name]!.data);
    }
  });

  it.each([1, 2, 7])('takes a batch of %i', async (batch) => {
    const data = values(batch * 192, 12);
    const expected = new SessionEvaluator().runSync(unfused(batch), new Map([['x', data]]));
    const results = await runWith(lowerToOnnx(cnn('batch')), { x: { data, shape: [batch, 8, 8, 3] } });
    expect(results.probabilities!.shape).toEqual([batch, 5]);
    expectClose(results.probabilities!.data, expected.get('probabilities')!);
  });

  it('names inputs, outputs and the batch axis', () => {
    const { graph, opsets } = lowerToOnnx(cnn('batch'), { name: 'student' });
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', dims: ['batch', 8, 8, 3] }]);
    expect(graph.outputs).toEqual([{ name: 'probabilities', dtype: 'float32', dims: ['batch', 5] }]);
    expect([graph.name, [...opsets]]).toEqual(['student', [['', 17]]]);
  });

  it.each([18, 19, 20, 21, 22])('means the same in operator set %i', async (opset) => {
    const x = { data: values(192, 12), shape: [1, 8, 8, 3] };
    const [old, next] = [
      await runWith(lowerToOnnx(cnn(1)), { x }),
      await runWith(lowerToOnnx(cnn(1), { opset }), { x }),
    ];
    expectClose(next.probabilities!.data, old.probabilities!.data);
  });
});

/** The same, with every intermediate value handed out, so that nothing is fused and everything is brought to plain layout. */
function unfused(batch: number): Graph {
  const graph = cnn(batch);
  const all = new Map(graph.outputs);
  for (const node of graph.nodes) for (const output of node.outputs) all.set(output, output);
  return { ...graph, outputs: all };
}

describe('the batch axis', () => {
  const reshaped = (from: Shape, ...to: Shape[]): Graph => {
    const b = new GraphBuilder();
    to.reduce(
      (x, shape, i) => {
        const y = b.op('Reshape', [x], { shape });
        b.output(`y${i}`, y);
        return y;
      },
      b.input('x', { dtype: 'float32', shape: from }),
    );
    return b.build();
  };

  it('goes through reshapes that fold and unfold it', async () => {
    const model = lowerToOnnx(
      reshaped(['batch', 6, 4], ['6*batch', 4], ['batch', 2, 12], [2, '12*batch'], ['batch', 24]),
    );
    expect(model.graph.outputs.map(({ dims }) => dims)).toEqual([
      ['batch_6', 4],
      ['batch', 2, 12],
      [2, 'batch_12'],
      ['batch', 24],
    ]);
    for (const batch of [1, 3]) {
      const results = await runWith(model, { x: { data: values(24 * batch), shape: [batch, 6, 4] } });
      expect(Object.values(results).map(({ shape }) => shape)).toEqual([
        [6 * batch, 4],
        [batch, 2, 12],
        [2, 12 * batch],
        [batch, 24],
      ]);
    }
  });

  it('twice in a shape, as in a matrix of similarities', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', float('batch', 4));
    const gram = b.op('BatchMatMul', [x, x], { transposeA: false, transposeB: true });
    b.output('outer', b.op('Reshape', [gram], { shape: ['batch', 'batch', 1] }));
    b.output('ones', b.op('BroadcastTo', [b.constant(float(), Float32Array.of(1))], { shape: ['2*batch', 'batch'] }));
    const results = await runWith(lowerToOnnx(b.build()), { x: { data: values(12), shape: [3, 4] } });
    expect([results.outer!.shape, results.ones!.shape]).toEqual([
      [3, 3, 1],
      [6, 3],
    ]);
  });

  it('in pooling and depthwise gradients and batch norm', async () => {
    const make = (batch: Dim): Graph => {
      const b = new GraphBuilder();
      const x = b.input('x', float(batch, 4, 4, 2));
      const y = b.op('MaxPool', [x], pool);
      b.output('max', b.op('MaxPoolGrad', [y, x, y], pool));
      b.output('avg', b.op('AvgPoolGrad', [y], { ...pool, inputShape: [batch, 4, 4, 2] }));
      b.output('filter', b.op('DepthwiseConv2dNativeBackpropFilter', [x, x], { ...same, filterShape: [3, 3, 2, 1] }));
      const [scale, mean, deviation] = [1, 2, 3].map((seed) => stored(b, [2], seed)) as [string, string, string];
      const gradients = b.node('BatchNormTrainGrad', [x, x, scale, mean, deviation]);
      gradients.forEach((gradient, i) => b.output(`bn${i}`, gradient));
      b.output(
        'upsampled',
        b.op('ResizeNearestNeighbor', [x], { size: [8, 8], alignCorners: false, halfPixelCenters: false }),
      );
      return b.build();
    };
    const data = values(96);
    const expected = new SessionEvaluator().runSync(make(3), new Map([['x', data]]));
    const results = await runWith(lowerToOnnx(make('batch')), { x: { data, shape: [3, 4, 4, 2] } });
    for (const [name, value] of expected) expectClose(results[name]!.data, value);
  });
});

describe('layouts in a training graph', () => {
  it('a chain of convolution, relu and its gradient stays channels first', () => {
    const b = new GraphBuilder();
    const x = b.input('x', float(2, 8, 8, 3));
    const w = b.state('w', float(3, 3, 3, 4));
    const v = b.state('v', float(3, 3, 4, 4));
    const hidden = b.op('Relu', [b.op('Conv2D', [x, w], same)]);
    const y = b.op('Conv2D', [hidden, v], same);
    const dHidden = b.op('Conv2DBackpropInput', [y, v], { ...same, inputShape: [2, 8, 8, 4] });
    const dRelu = b.op('ReluGrad', [dHidden, hidden]);
    b.output('norm', b.op('Sum', [b.op('Square', [dRelu])], { axes: [0, 1, 2, 3], keepDims: false }));
    const model = lowerToOnnx(b.build());
    // The input's and one for each filter.
    expect(countOf(model, 'Transpose')).toBe(3);
  });
});

describe('what ONNX cannot say', () => {
  it('is an error that names layer, op and remedy', () => {
    const b = new GraphBuilder();
    const x = b.input('x', float('batch', 4));
    b.output('y', b.op('Cumprod', [x], { axis: 0, exclusive: false, reverse: false }, 'head/product'));
    const lower = (): Model => lowerToOnnx(b.build());
    expect(lower).toThrow(UserError);
    expect(lower).toThrow('Cumprod in layer head/product cannot be written as ONNX');
    const integers = new GraphBuilder();
    const image = integers.input('image', { dtype: 'int32', shape: [1, 4, 4, 1] });
    const w = integers.input('w', { dtype: 'int32', shape: [1, 1, 1, 1] });
    integers.output('y', integers.op('Conv2D', [image, w], same, 'stem'));
    expect(() => lowerToOnnx(integers.build())).toThrow(
      'Conv2D in layer stem cannot be written as ONNX: its operand is int32',
    );
  });
});
