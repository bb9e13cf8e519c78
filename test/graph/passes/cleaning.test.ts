import { GraphBuilder } from '../../../src/graph/builder.ts';
import { cleaned } from '../../../src/graph/passes/simplify/cleaned.ts';
import { mergeCommonSubexpressions } from '../../../src/graph/passes/simplify/common-subexpressions.ts';
import { removeDeadCode } from '../../../src/graph/passes/simplify/dead-code.ts';
import { foldConstants } from '../../../src/graph/passes/constants/fold-constants.ts';
import { simplifyShapes } from '../../../src/graph/passes/simplify/simplify-shapes.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { evaluateOnCpu, expectSameResults, float32, opsOf } from '../../support/graphs.ts';

function graphOf(build: (builder: GraphBuilder, x: string) => string, shape: number[] = [2, 3]): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', float32(...shape));
  builder.output('y', build(builder, x));
  return builder.build();
}

const scalar = (builder: GraphBuilder, value: number): string => builder.constant(float32(), Float32Array.of(value));

describe('dead code', () => {
  it('removes nodes and constants that nothing needs, and keeps the interface', () => {
    const graph = graphOf((b, x) => {
      b.op('Exp', [b.op('Add', [x, scalar(b, 7)])]);
      return b.op('Neg', [x]);
    });
    const after = removeDeadCode(graph);
    expect(opsOf(after)).toEqual(['Neg']);
    expect(after.constants.size).toBe(0);
    expect([...after.inputs.keys()]).toEqual(['x']);
  });

  it('keeps a node when one of its outputs is needed', () => {
    const graph = graphOf((b, x) => b.node('Split', [x], { axis: 1, sizes: [1, 2] })[1]!);
    expect(opsOf(removeDeadCode(graph))).toEqual(['Split']);
  });
});

describe('negations', () => {
  it.each<[string, (b: GraphBuilder, x: string, y: string) => string, string[]]>([
    ['x + (-y)', (b, x, y) => b.op('Add', [x, b.op('Neg', [y])]), ['Exp', 'Sub']],
    ['(-x) + y', (b, x, y) => b.op('Add', [b.op('Neg', [x]), y]), ['Exp', 'Sub']],
    ['x - (-y)', (b, x, y) => b.op('Sub', [x, b.op('Neg', [y])]), ['Exp', 'Add']],
    ['(-x) - y', (b, x, y) => b.op('Sub', [b.op('Neg', [x]), y]), ['Exp', 'Neg', 'Sub']],
    ['(-x) + (-y)', (b, x, y) => b.op('Add', [b.op('Neg', [x]), b.op('Neg', [y])]), ['Exp', 'Neg', 'Sub']],
  ])('%s', (_, build, ops) => {
    const graph = graphOf((b, x) => build(b, x, b.op('Exp', [x])));
    const after = cleaned(graph);
    expect(opsOf(after).toSorted()).toEqual(ops.toSorted());
    expectSameResults(after, graph, 0);
  });
});

describe('common subexpressions', () => {
  it('are none where numbers of attributes differ that JSON has not, and where values are dropped at random', () => {
    const graph = graphOf((b, x) => {
      const [low, high] = [-Infinity, Infinity].map((constantValue) =>
        b.op('Pad', [x], { paddings: [0, 0, 1, 1], constantValue }),
      ) as [string, string];
      const [first, second] = [0, 1].map(() => b.op('Dropout', [x], { rate: 0.5 })) as [string, string];
      return b.op('Concat', [low, high, first, second], { axis: 1 });
    });
    expect(opsOf(mergeCommonSubexpressions(graph))).toEqual(['Pad', 'Pad', 'Dropout', 'Dropout', 'Concat']);
  });

  it('are computed once, over equal constants too', () => {
    const graph = graphOf((b, x) => {
      const twice = [0, 1].map(() => b.op('Exp', [b.op('Add', [x, scalar(b, 1)])]));
      return b.op('Multiply', twice);
    });
    const after = mergeCommonSubexpressions(graph);
    expect(opsOf(after)).toEqual(['Add', 'Exp', 'Multiply']);
    expectSameResults(after, graph);
  });

  it.each([
    ['once', [0, 0, 0]],
    ['apart where a single number or its sign differs', [0, -0, 1]],
  ])('have large constants that are equal %s', (_, numbers) => {
    const graph = graphOf(
      (b, x) => {
        const stored = numbers.map((value) => {
          const data = Float32Array.from({ length: 100 * 100 }, (_, i) => Math.sin(i)).fill(value, 9_998, 9_999);
          return b.constant(float32(100, 100), data);
        });
        return stored.reduce((sum, constant) => b.op('Add', [sum, constant]), x);
      },
      [100, 100],
    );
    const after = removeDeadCode(mergeCommonSubexpressions(graph));
    expect(after.constants.size).toBe(numbers.includes(1) ? 3 : 1);
    expectSameResults(after, graph);
  });

  it('are not those with other attributes or another dtype of constant', () => {
    const graph = graphOf((b, x) => {
      const a = b.op('Sum', [x], { axes: [0], keepDims: true });
      return b.op('Add', [a, b.op('Sum', [x], { axes: [1], keepDims: true })]);
    });
    expect(opsOf(mergeCommonSubexpressions(graph))).toEqual(['Sum', 'Sum', 'Add']);
  });
});

describe('shape ops', () => {
  const reshape = (b: GraphBuilder, x: string, ...shape: number[]): string => b.op('Reshape', [x], { shape });

  it.each<[string, (b: GraphBuilder, x: string) => string, string[]]>([
    ['an identity', (b, x) => b.op('Neg', [b.op('Identity', [x])]), ['Neg']],
    ['a cast to the same dtype', (b, x) => b.op('Neg', [b.op('Cast', [x], { dtype: 'float32' })]), ['Neg']],
    ['a reshape undone', (b, x) => b.op('Neg', [reshape(b, reshape(b, x, 6), 2, 3)]), ['Neg']],
    ['a reshape of a reshape', (b, x) => reshape(b, reshape(b, x, 6), 3, 2), ['Reshape']],
    [
      'a transpose undone',
      (b, x) => b.op('Neg', [b.op('Transpose', [b.op('Transpose', [x], { perm: [1, 0] })], { perm: [1, 0] })]),
      ['Neg'],
    ],
    [
      'a transpose that moves nothing but an axis of one',
      (b, x) => b.op('Transpose', [reshape(b, x, 2, 1, 3)], { perm: [1, 0, 2] }),
      ['Reshape'],
    ],
    [
      'a broadcast that its reader does anyway',
      (b, x) => b.op('Add', [x, b.op('BroadcastTo', [scalar(b, 2)], { shape: [2, 3] })]),
      ['Add'],
    ],
    ['a tile of once', (b, x) => b.op('Neg', [b.op('Tile', [x], { reps: [1, 1] })]), ['Neg']],
  ])('drop %s', (_, build, ops) => {
    const graph = graphOf(build);
    const after = removeDeadCode(simplifyShapes(graph));
    expect(opsOf(after)).toEqual(ops);
    expectSameResults(after, graph);
  });

  it('keep a broadcast that gives the result its shape', () => {
    const graph = graphOf((b, x) =>
      b.op('Add', [
        b.op('BroadcastTo', [b.op('Sum', [x], { axes: [0], keepDims: true })], { shape: [2, 3] }),
        scalar(b, 1),
      ]),
    );
    expect(opsOf(cleaned(graph))).toContain('BroadcastTo');
  });

  it('merge two transposes in the right order', () => {
    const graph = graphOf(
      (b, x) => b.op('Transpose', [b.op('Transpose', [x], { perm: [1, 2, 0] })], { perm: [0, 2, 1] }),
      [2, 3, 4],
    );
    const after = cleaned(graph);
    expect(opsOf(after)).toEqual(['Transpose']);
    expectSameResults(after, graph);
  });
});

describe('constant folding', () => {
  it('computes what depends on constants alone', () => {
    const graph = graphOf((b, x) => b.op('Multiply', [x, b.op('Exp', [b.op('Add', [scalar(b, 1), scalar(b, 2)])])]));
    const after = foldConstants(graph, evaluateOnCpu);
    expect(opsOf(after)).toEqual(['Multiply']);
    expect(after.constants.size).toBe(1);
    expectSameResults(after, graph);
  });

  it('does not store a large broadcast', () => {
    const graph = graphOf((b, x) =>
      b.op('Concat', [x, b.op('BroadcastTo', [scalar(b, 1)], { shape: [2000, 3] })], { axis: 0 }),
    );
    expect(foldConstants(graph, evaluateOnCpu)).toBe(graph);
  });

  it('leaves what has a symbolic size', () => {
    const builder = new GraphBuilder();
    builder.input('x', { dtype: 'float32', shape: ['batch', 3] });
    const zeros = builder.op('BroadcastTo', [scalar(builder, 0)], { shape: ['batch', 3] });
    builder.output('y', builder.op('Concat', ['x', zeros], { axis: 1 }));
    const graph = builder.build();
    expect(foldConstants(graph, evaluateOnCpu)).toBe(graph);
  });
});
