import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { foldBatchNorm } from '../../../../src/graph/passes/inference/fold-batch-norm.ts';
import { forInference } from '../../../../src/graph/passes/inference/for-inference.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { evaluateOnCpu, expectSameResults, float32, numbers, opsOf } from '../../../support/graphs.ts';

const WINDOW = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };

interface Options {
  readonly bias: boolean;
  readonly affine: boolean;
  /** The linear result is an output too. */
  readonly shared?: boolean;
}

type Linear = (b: GraphBuilder) => { product: string; channels: number };

const constant = (b: GraphBuilder, name: string, ...shape: number[]): string =>
  b.constant(
    float32(...shape),
    numbers(
      shape.reduce((n, dim) => n * dim, 1),
      name,
    ),
    name,
  );

const LINEAR: Record<string, Linear> = {
  Conv2D: (b) => ({
    product: b.op('Conv2D', [b.input('x', float32(2, 5, 4, 3)), constant(b, 'w', 3, 3, 3, 4)], WINDOW),
    channels: 4,
  }),
  DepthwiseConv2dNative: (b) => ({
    product: b.op('DepthwiseConv2dNative', [b.input('x', float32(2, 5, 4, 3)), constant(b, 'w', 3, 3, 3, 2)], WINDOW),
    channels: 6,
  }),
  BatchMatMul: (b) => ({
    product: b.op('BatchMatMul', [b.input('x', float32(5, 3)), constant(b, 'w', 3, 4)], {
      transposeA: false,
      transposeB: false,
    }),
    channels: 4,
  }),
  'BatchMatMul, transposed': (b) => ({
    product: b.op('BatchMatMul', [b.input('x', float32(5, 3)), constant(b, 'w', 4, 3)], {
      transposeA: false,
      transposeB: true,
    }),
    channels: 4,
  }),
};

function graphOf(linear: Linear, { bias, affine, shared }: Options): Graph {
  const b = new GraphBuilder();
  const { product, channels } = linear(b);
  const x = bias ? b.op('Add', [product, constant(b, 'bias', channels)]) : product;
  const variance = b.constant(
    float32(channels),
    numbers(channels, 'v').map((v) => 0.5 + Math.abs(v)),
  );
  const [offset, scale] = affine ? [constant(b, 'offset', channels), constant(b, 'scale', channels)] : ['', ''];
  const norm = b.op('FusedBatchNorm', [x, constant(b, 'mean', channels), variance, offset, scale], { epsilon: 0.02 });
  b.output('y', b.op('Relu', [norm]));
  if (shared === true) b.output('linear', x);
  return b.build();
}

describe('batch-norm folding', () => {
  const cases = Object.keys(LINEAR).flatMap((name) =>
    [true, false].flatMap((bias) => [true, false].map((affine) => [name, bias, affine] as const)),
  );
  it.each(cases)('into %s gives the same results (bias: %s, affine: %s)', (name, bias, affine) => {
    const graph = graphOf(LINEAR[name]!, { bias, affine });
    const after = forInference(graph, evaluateOnCpu);
    expect(opsOf(after)).toEqual([name.split(',')[0], 'Add', 'Relu']);
    expectSameResults(after, graph, 1e-5);
  });

  const pooled = (affine: boolean, linearUsed: boolean): Graph => {
    const b = new GraphBuilder();
    const { product } = LINEAR.Conv2D!(b);
    const window = { filterSize: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] };
    const pool = b.op('MaxPool', [product], window);
    const variance = b.constant(float32(4), Float32Array.of(0.5, 1, 2, 3));
    const [offset, scale] = [constant(b, 'offset', 4), affine ? constant(b, 'scale', 4) : ''];
    const norm = b.op('FusedBatchNorm', [pool, constant(b, 'mean', 4), variance, offset, scale], { epsilon: 0.001 });
    b.output('y', b.op('Relu', [norm]));
    if (linearUsed) b.output('linear', product);
    return b.build();
  };

  it('without a scale goes through a max pooling, and the ReLU behind it too', () => {
    const after = forInference(pooled(false, false), evaluateOnCpu);
    expect(opsOf(after)).toEqual(['Conv2D', 'Add', 'Relu', 'MaxPool']);
    expectSameResults(after, pooled(false, false), 1e-5);
  });

  it('with a scale, which may be negative, stays behind a max pooling, and so does one whose product is used elsewhere', () => {
    for (const graph of [pooled(true, false), pooled(false, true)])
      expect(opsOf(foldBatchNorm(graph))).toContain('FusedBatchNorm');
  });

  it('leaves a batch norm whose input is used elsewhere', () => {
    const graph = graphOf(LINEAR.Conv2D!, { bias: true, affine: true, shared: true });
    expect(opsOf(foldBatchNorm(graph))).toContain('FusedBatchNorm');
  });

  it('leaves a batch norm after something that is not linear', () => {
    const b = new GraphBuilder();
    const x = b.op('Relu', [b.input('x', float32(5, 3))]);
    b.output('y', b.op('FusedBatchNorm', [x, constant(b, 'm', 3), constant(b, 'v', 3), '', ''], { epsilon: 0.3 }));
    expect(opsOf(foldBatchNorm(b.build()))).toEqual(['Relu', 'FusedBatchNorm']);
  });
});
