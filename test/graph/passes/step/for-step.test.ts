import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { cleaned } from '../../../../src/graph/passes/simplify/cleaned.ts';
import { forStep } from '../../../../src/graph/passes/step/for-step.ts';
import type { Graph } from '../../../../src/graph/types.ts';
import { expectSameResults, float32, numbers, opsOf } from '../../../support/graphs.ts';

const STEPS = 4;
type Build = (b: GraphBuilder, parts: readonly string[], whole: string) => readonly string[];

const EQUAL = [2, 2, 2, 2];

/** A graph of x with so many rows, in parts, and three columns; `build` gives its outputs. */
function graphOf(build: Build, sizes: readonly number[] = EQUAL): Graph {
  const builder = new GraphBuilder();
  const x = builder.input(
    'x',
    float32(
      sizes.reduce((a, b) => a + b),
      3,
    ),
  );
  const parts = builder.node('Split', [x], { axis: 0, sizes });
  for (const [i, value] of build(builder, parts, x).entries()) builder.output(`y${i}`, value);
  return cleaned(builder.build());
}

const matrix = (b: GraphBuilder, rows: number, columns: number, ...key: (string | number)[]): string =>
  b.constant(float32(rows, columns), numbers(rows * columns, 'matrix', ...key));
const product = (b: GraphBuilder, x: string, y: string, transposeA = false): string =>
  b.op('BatchMatMul', [x, y], { transposeA, transposeB: false });
const sum = (b: GraphBuilder, values: readonly string[]): string => values.reduce((x, y) => b.op('Add', [x, y]));
const tanh = (b: GraphBuilder, values: readonly string[]): string[] => values.map((x) => b.op('Tanh', [x]));
/** Values of one step each, which no op takes at once: they lie in no Split. */
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

describe('what steps of a sequence do by themselves, done at once', () => {
  it.each<[string, Build, Record<string, number>]>([
    [
      'a product by one matrix and a bias',
      (b, parts) => {
        const w = matrix(b, 3, 5);
        const bias = b.constant(float32(5), numbers(5, 'bias'));
        return parts.map((part) => b.op('Add', [product(b, part, w), bias]));
      },
      { Add: 1, BatchMatMul: 1, Split: 1 },
    ],
    [
      'another shape, a split along another axis, and an activation',
      (b, parts) =>
        parts.flatMap((part) => {
          const flat = b.op('Reshape', [part], { shape: [3, 2] });
          return tanh(b, b.node('Split', [flat], { axis: 1, sizes: [1, 1] }));
        }),
      { Reshape: 1, Split: 3, Tanh: 2 },
    ],
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
      'products by one matrix that are joined afterwards, in another shape',
      (b) => {
        const w = matrix(b, 3, 5);
        const rows = apart(b).map((x) => b.op('Reshape', [product(b, x, w)], { shape: [1, 2, 5] }));
        return [b.op('Concat', rows, { axis: 0 })];
      },
      { BatchMatMul: 1, Concat: 1, Reshape: 1 },
    ],
    [
      'parts of parts along another axis',
      (b, parts) =>
        parts.flatMap((part) => {
          const wide = b.op('Concat', [part, part], { axis: 1 });
          return tanh(
            b,
            b.node('Split', [b.op('Reshape', [wide], { shape: [3, 4] })], { axis: 1, sizes: [1, 1, 1, 1] }),
          );
        }),
      { Concat: 4, Reshape: 4, Split: 5, Tanh: 4 },
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
  ])('%s', (_, build, expected) => {
    const graph = graphOf(build);
    const after = forStep(graph);
    expect(counts(after)).toEqual(expected);
    expectSameResults(after, graph, 1e-6);
  });

  it.each<[string, readonly number[], Build]>([
    [
      'products by matrices of their own',
      EQUAL,
      (b, parts) => parts.map((part, i) => product(b, part, matrix(b, 3, 5, i))),
    ],
    ['parts of several sizes', [1, 2, 2, 3], (b, parts) => tanh(b, parts)],
    ['three parts', [2, 2, 2], (b, parts) => tanh(b, parts)],
    ['all parts but one', EQUAL, (b, parts) => tanh(b, parts.slice(1))],
    [
      'what is added to every row of a part',
      EQUAL,
      (b, parts) => {
        const rows = matrix(b, 2, 3);
        return parts.map((part) => b.op('Add', [part, rows]));
      },
    ],
    [
      'products from the left',
      EQUAL,
      (b, parts) => {
        const w = matrix(b, 5, 2);
        return parts.map((part) => product(b, w, part));
      },
    ],
    [
      'products of columns',
      EQUAL,
      (b, parts) => {
        const w = matrix(b, 2, 5);
        return parts.map((part) => product(b, part, w, true));
      },
    ],
    [
      'products over what was taken apart',
      EQUAL,
      (b) => {
        const w = matrix(b, 2, 5);
        const wide = b.node('Split', [b.input('wide', float32(3, 8))], { axis: 1, sizes: EQUAL });
        return wide.map((part) => product(b, part, w));
      },
    ],
    [
      'other shapes of columns',
      EQUAL,
      (b) => {
        const wide = b.node('Split', [b.input('wide', float32(3, 8))], { axis: 1, sizes: EQUAL });
        return wide.map((part) => b.op('Reshape', [part], { shape: [2, 3] }));
      },
    ],
    [
      'parts of parts',
      EQUAL,
      (b, parts) => parts.flatMap((part) => b.node('Split', [part], { axis: 0, sizes: [1, 1] })),
    ],
    [
      'limits of their own',
      EQUAL,
      (b, parts) => parts.map((part, i) => b.op('ClipByValue', [part], { clipValueMin: 0, clipValueMax: i + 1 })),
    ],
    ['a part twice', EQUAL, (b, parts) => parts.map((part) => b.op('Multiply', [part, part]))],
    [
      'products that are read elsewhere too',
      EQUAL,
      (b, parts) => {
        const products = backwards(b, parts, 4);
        return [sum(b, products), ...products];
      },
    ],
    [
      'sums that are read on the way',
      EQUAL,
      (b, parts) => {
        const products = backwards(b, parts, 4);
        const [first, ...rest] = [sum(b, products.slice(0, 2)), ...products.slice(2)];
        return [sum(b, [first, ...rest]), first];
      },
    ],
    [
      'sums over rows of some and over columns of others',
      EQUAL,
      (b) => [
        sum(
          b,
          apart(b, 3, 3).map((x, i) => b.op('Sum', [x], { axes: [i % 2], keepDims: false })),
        ),
      ],
    ],
    [
      'sums of other halves',
      EQUAL,
      (b) => {
        const halves = apart(b).map((x, i) => b.node('Split', [x], { axis: 1, sizes: i % 2 === 0 ? [1, 2] : [2, 1] }));
        const joined = halves.map((parts) => b.op('Concat', tanh(b, parts), { axis: 1 }));
        return [b.op('Concat', joined, { axis: 0 })];
      },
    ],
    [
      'products that are transposed or not before they are joined',
      EQUAL,
      (b) => {
        const w = matrix(b, 3, 5);
        return [
          b.op(
            'Concat',
            apart(b, 3, 3).map((x, i) => product(b, x, w, i % 2 === 0)),
            { axis: 0 },
          ),
        ];
      },
    ],
    [
      'products that are joined and read elsewhere too',
      EQUAL,
      (b) => {
        const w = matrix(b, 3, 5);
        const products = apart(b).map((x) => product(b, x, w));
        return [b.op('Concat', products, { axis: 0 }), ...products];
      },
    ],
    ['activations before they are joined', EQUAL, (b) => [b.op('Concat', tanh(b, apart(b)), { axis: 0 })]],
  ])('leaves %s', (_, sizes, build) => {
    const graph = graphOf(build, sizes);
    expect(counts(forStep(graph))).toEqual(counts(graph));
    expectSameResults(forStep(graph), graph, 0);
  });

  it.each<[string, readonly number[], Build]>([
    ['parts', EQUAL.map(() => 50_000), (b, parts) => tanh(b, parts)],
    [
      'products',
      EQUAL.map(() => 100),
      (b, parts) => {
        const w = matrix(b, 3, 2000);
        return parts.map((part) => b.op('Sum', [product(b, part, w)], { axes: [1], keepDims: false }));
      },
    ],
    [
      'maps that are added up one after another',
      EQUAL,
      (b) => {
        const [five, large] = [b.constant(float32(), Float32Array.of(5)), b.input('large', float32(400, 400))];
        const maps = [1, 2, 3, 4].map((i) => b.op('Add', [large, b.constant(float32(), Float32Array.of(i))]));
        return [
          sum(
            b,
            tanh(b, maps).map((x) => b.op('Multiply', [x, five])),
          ),
        ];
      },
    ],
  ])('does not keep large %s in memory at once', (_, sizes, build) => {
    const graph = graphOf(build, sizes);
    expect(counts(forStep(graph))).toEqual(counts(graph));
  });

  it('takes parts of parts as they are', () => {
    const graph = graphOf((b) => {
      const rows = b.node('Split', [b.input('square', float32(8, 8))], { axis: 0, sizes: EQUAL });
      return tanh(
        b,
        rows.flatMap((row) => b.node('Split', [row], { axis: 1, sizes: EQUAL })),
      );
    });
    const after = forStep(graph);
    expect(counts(after)).toEqual({ Split: 5, Tanh: 16 });
    expectSameResults(after, graph, 1e-6);
  });

  it('keeps a sum whose terms stretch each other', () => {
    const graph = graphOf((b, parts) => {
      const narrow = backwards(b, parts, 1);
      return [b.op('Add', [sum(b, narrow), matrix(b, 3, 4)])];
    });
    const after = forStep(graph);
    expect(counts(after)).toEqual({ Add: 1, BatchMatMul: 1, Concat: 1 });
    expectSameResults(after, graph, 1e-6);
  });
});
