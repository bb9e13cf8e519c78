import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { cleaned } from '../../../../src/graph/passes/simplify/cleaned.ts';
import { collectSums } from '../../../../src/graph/passes/step/collect-sums.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { expectSameResults, float32, numbers, opsOf } from '../../../support/graphs.ts';

const STEPS = 4;
type Build = (b: GraphBuilder, parts: readonly string[]) => readonly string[];

/** A graph of x [8, 3] in four parts of its rows; `build` gives its outputs. */
function graphOf(build: Build): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', float32(8, 3));
  const parts = builder.node('Split', [x], { axis: 0, sizes: [2, 2, 2, 2] });
  for (const [i, value] of build(builder, parts).entries()) builder.output(`y${i}`, value);
  return cleaned(builder.build());
}

const matrix = (b: GraphBuilder, rows: number, columns: number): string =>
  b.constant(float32(rows, columns), numbers(rows * columns, 'matrix'));
const product = (b: GraphBuilder, x: string, y: string, transposeA = false): string =>
  b.op('BatchMatMul', [x, y], { transposeA, transposeB: false });
const sum = (b: GraphBuilder, values: readonly string[]): string => values.reduce((x, y) => b.op('Add', [x, y]));
const tanh = (b: GraphBuilder, values: readonly string[]): string[] => values.map((x) => b.op('Tanh', [x]));
/** Values of one step each, which lie in no Split. */
const apart = (b: GraphBuilder, rows = 2, columns = 3): string[] =>
  Array.from({ length: STEPS }, (_, i) => b.input(`apart${i}`, float32(rows, columns)));

/** Gradients by steps, from the last to the first. */
const backwards = (b: GraphBuilder, parts: readonly string[], columns: number): string[] =>
  apart(b, 2, columns)
    .map((y, i) => [parts[i]!, y] as const)
    .reverse()
    .map(([x, y]) => product(b, x, y, true));

const counts = (graph: Graph): Record<string, number> => {
  const ops = opsOf(graph);
  return Object.fromEntries([...new Set(ops)].sort().map((op) => [op, ops.filter((other) => other === op).length]));
};

describe('sums over the steps of a sequence, computed at once', () => {
  it.each<[string, Build, Record<string, number>]>([
    ['the sum of products over rows', (b, parts) => [sum(b, backwards(b, parts, 4))], { BatchMatMul: 1, Concat: 1 }],
    [
      'sums of columns, side by side and five times as large, and products of the same',
      (b) => {
        const [left, right] = [
          apart(b),
          tanh(
            b,
            Array.from({ length: STEPS }, (_, i) => `apart${i}`),
          ),
        ];
        const five = b.constant(float32(), Float32Array.of(5));
        const both = left.map((x, i) => b.op('Concat', [b.op('Multiply', [x, five]), right[i]!], { axis: 1 }));
        return [
          sum(
            b,
            both.map((x) => b.op('Sum', [x], { axes: [0], keepDims: false })),
          ),
          sum(
            b,
            both.map((x, i) => product(b, left[i]!, x, true)),
          ),
        ];
      },
      { BatchMatMul: 1, Concat: 3, Multiply: 1, Sum: 1, Tanh: 4 },
    ],
    [
      'what lies side by side in sums of products',
      (b, parts) => {
        const others = apart(b, 2, 4).reverse();
        const [left, right] = [others, tanh(b, others)];
        const products = [...parts].reverse().map((part, i) => [left, right].map((y) => product(b, part, y[i]!, true)));
        return [
          sum(
            b,
            products.map((pair) => b.op('Concat', pair, { axis: 1 })),
          ),
        ];
      },
      { BatchMatMul: 2, Concat: 3, Tanh: 4 },
    ],
    [
      'products by rows that lie in parts of columns',
      (b) => {
        const columns = b.node('Split', [b.input('wide', float32(2, 4))], { axis: 1, sizes: [1, 1, 1, 1] });
        return [
          sum(
            b,
            apart(b, 2, 3).map((y, i) => product(b, columns[3 - i]!, y, true)),
          ),
        ];
      },
      { BatchMatMul: 1, Concat: 2, Split: 1 },
    ],
    [
      'what is joined once as it is for products and once with a first axis',
      (b, parts) => {
        const values = tanh(b, apart(b));
        const products = [3, 2, 1, 0].map((i) => product(b, parts[i]!, values[i]!, true));
        const stacked = values.map((y) => b.op('Reshape', [y], { shape: [1, 2, 3] }));
        return [sum(b, products), b.op('Concat', stacked, { axis: 0 })];
      },
      { BatchMatMul: 1, Concat: 1, Reshape: 1, Tanh: 4 },
    ],
  ])('%s', (_, build, expected) => {
    const graph = graphOf(build);
    const after = collectSums(graph);
    expect(counts(after)).toEqual(expected);
    expectSameResults(after, graph, 1e-6);
  });

  it.each<[string, Build]>([
    [
      'products that are read elsewhere too',
      (b, parts) => {
        const products = backwards(b, parts, 4);
        return [sum(b, products), ...products];
      },
    ],
    [
      'sums that are read on the way',
      (b, parts) => {
        const products = backwards(b, parts, 4);
        const [first, ...rest] = [sum(b, products.slice(0, 2)), ...products.slice(2)];
        return [sum(b, [first, ...rest]), first];
      },
    ],
    [
      'sums over rows of some and over columns of others',
      (b) => [
        sum(
          b,
          apart(b, 3, 3).map((x, i) => b.op('Sum', [x], { axes: [i % 2], keepDims: false })),
        ),
      ],
    ],
  ])('leaves %s', (_, build) => {
    const graph = graphOf(build);
    expect(counts(collectSums(graph))).toEqual(counts(graph));
    expectSameResults(collectSums(graph), graph, 0);
  });

  it('does not keep large maps that are added up one after another in memory at once', () => {
    const graph = graphOf((b) => {
      const [five, large] = [b.constant(float32(), Float32Array.of(5)), b.input('large', float32(400, 400))];
      const maps = [1, 2, 3, 4].map((i) => b.op('Add', [large, b.constant(float32(), Float32Array.of(i))]));
      return [
        sum(
          b,
          tanh(b, maps).map((x) => b.op('Multiply', [x, five])),
        ),
      ];
    });
    expect(counts(collectSums(graph))).toEqual(counts(graph));
  });

  it('keeps a sum whose terms stretch each other', () => {
    const graph = graphOf((b, parts) => {
      const narrow = backwards(b, parts, 1);
      return [b.op('Add', [sum(b, narrow), matrix(b, 3, 4)])];
    });
    const after = collectSums(graph);
    expect(counts(after)).toEqual({ Add: 1, BatchMatMul: 1, Concat: 1 });
    expectSameResults(after, graph, 1e-6);
  });
});
