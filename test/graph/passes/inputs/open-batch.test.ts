import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { atBatch } from '../../../../src/graph/passes/inputs/at-batch.ts';
import { openBatch } from '../../../../src/graph/passes/inputs/open-batch.ts';
import { printGraph } from '../../../../src/graph/print.ts';
import type { Dim, Graph } from '../../../../src/graph/types.ts';

type Build = (builder: GraphBuilder, x: string) => string;

function graphOf(shape: readonly Dim[], build: Build): Graph {
  const builder = new GraphBuilder();
  builder.output('y', build(builder, builder.input('x', { dtype: 'float32', shape })));
  return builder.build();
}

const reshape =
  (...shape: number[]): Build =>
  (b, x) =>
    b.op('Reshape', [x], { shape });

const then =
  (...builds: Build[]): Build =>
  (b, x) =>
    builds.reduce((value, build) => build(b, value), x);

const transposed =
  (...perm: number[]): Build =>
  (b, x) =>
    b.op('Transpose', [x], { perm });

const shapeOf = (graph: Graph): readonly Dim[] => graph.types.get(graph.outputs.get('y')!)!.shape;

describe('a graph for batches of one size, opened', () => {
  it.each<[string, number[], Build, Dim[]]>([
    ['flattened', [4, 3, 5], reshape(4, 15), ['batch', 15]],
    ['flattened with its batch', [4, 3, 5], reshape(12, 5), ['3*batch', 5]],
    ['flattened and split again', [4, 3, 5], then(reshape(12, 5), reshape(4, 15)), ['batch', 15]],
    [
      'steps and batch in one, and apart',
      [4, 6, 8],
      then(transposed(1, 0, 2), reshape(24, 8), reshape(6, 4, 8)),
      [6, 'batch', 8],
    ],
    ['steps, batch and heads in one', [4, 6, 8], then(transposed(1, 0, 2), reshape(96, 2)), ['24*batch', 2]],
    ['of one sample', [1, 3, 5], reshape(15), ['15*batch']],
    ['split into heads behind the steps', [4, 6, 8], then(transposed(1, 0, 2), reshape(6, 8, 4)), [6, '2*batch', 4]],
    ['sliced elsewhere', [4, 6], (b, x) => b.op('Slice', [x], { begin: [0, 1], size: [-1, 2] }), ['batch', 2]],
    ['taken whole', [4, 6], (b, x) => b.op('Slice', [x], { begin: [0, 1], size: [4, 2] }), ['batch', 2]],
    ['widened', [4, 1], (b, x) => b.op('BroadcastTo', [x], { shape: [4, 7] }), ['batch', 7]],
    [
      'joined by a value for each',
      [4, 3],
      (b, x) => {
        const one = b.constant({ dtype: 'float32', shape: [1, 2] }, new Float32Array(2));
        return b.op('Concat', [b.op('BroadcastTo', [one], { shape: [4, 2] }), x], { axis: 1 });
      },
      ['batch', 5],
    ],
    ['widened in front', [4, 1], (b, x) => b.op('BroadcastTo', [x], { shape: [2, 4, 7] }), [2, 'batch', 7]],
  ])('%s', (_, shape, build, to) => {
    const graph = graphOf(shape, build);
    const open = openBatch(graph, shape[0]!);
    expect(shapeOf(open)).toEqual(to);
    // A slice of all of them is written in either way.
    expect(printGraph(atBatch(open, shape[0]!))).toBe(printGraph(graph).replace('size: [4, 2]', 'size: [-1, 2]'));
  });

  it.each<[string, number[], Build, string]>([
    ['a sum over the samples', [1, 3], (b, x) => b.op('Sum', [x], { axes: [0], keepDims: true }), 'works across'],
    ['a softmax over the samples', [1, 3], (b, x) => b.op('Softmax', [x], { axis: 0 }), 'works across'],
    ['samples behind themselves', [1, 3], (b, x) => b.op('Concat', [x, x], { axis: 0 }), 'works across'],
    ['a sample repeated', [1, 3], (b, x) => b.op('Tile', [x], { reps: [2, 1] }), 'repeats the samples'],
    ['some samples', [4, 3], (b, x) => b.op('Slice', [x], { begin: [1, 0], size: [3, 3] }), 'takes some samples'],
    ['mixed samples', [4, 6], reshape(3, 8), 'parts a batch'],
    [
      'a constant for each sample',
      [4, 3],
      (b, x) => b.op('Add', [x, b.constant({ dtype: 'float32', shape: [4, 3] }, new Float32Array(12))]),
      'do not broadcast',
    ],
    [
      'a product of samples',
      [4, 3],
      (b, x) => b.op('BatchMatMul', [x, x], { transposeA: true, transposeB: false }),
      'makes one of all',
    ],
  ])('is refused with %s', (_, shape, build, why) => {
    expect(() => openBatch(graphOf(shape, build), shape[0]!)).toThrow(why);
  });
});
