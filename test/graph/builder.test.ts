import { GraphBuilder } from '../../src/graph/builder.ts';
import { printGraph } from '../../src/graph/print.ts';
import { checkGraph } from '../../src/graph/check.ts';
import type { Graph } from '../../src/graph/types.ts';
import { float32 } from '../support/graphs.ts';

function example(): GraphBuilder {
  const builder = new GraphBuilder();
  builder.input('x', { dtype: 'float32', shape: ['batch', 3] });
  builder.state('w', float32(3, 2));
  const bias = builder.constant(float32(2), Float32Array.of(1, 2), 'bias');
  const product = builder.op('BatchMatMul', ['x', 'w'], { transposeA: false, transposeB: false }, 'dense');
  builder.output('y', builder.op('Add', [product, bias], {}, 'dense'));
  builder.update('w', builder.op('Neg', ['w']));
  return builder;
}

describe('the graph builder', () => {
  it('infers types and prints a graph as stable text', () => {
    expect(printGraph(example().build())).toBe(
      [
        'input  x: float32[batch, 3]',
        'state  w: float32[3, 2]',
        'const  bias: float32[2]',
        'BatchMatMul_1: float32[batch, 2] = BatchMatMul(x, w) {transposeA: false, transposeB: false}   # dense',
        'Add_1: float32[batch, 2] = Add(BatchMatMul_1, bias)   # dense',
        'Neg_1: float32[3, 2] = Neg(w)',
        'output y = Add_1',
        'update w = Neg_1',
      ].join('\n'),
    );
  });

  it.each([
    ['a name bound twice', (b: GraphBuilder) => b.input('x', float32(1)), 'value x is bound twice'],
    ['an unknown value', (b: GraphBuilder) => b.op('Neg', ['nothing']), 'value nothing is not bound'],
    ['an unknown op', (b: GraphBuilder) => b.op('Frobnicate', ['x']), 'there is no op Frobnicate'],
    [
      'shapes that do not fit, with the layer',
      (b: GraphBuilder) => b.op('Add', ['x', 'w'], {}, 'sum'),
      'sum: Add: shapes [batch, 3] and [3, 2] do not broadcast',
    ],
    [
      'a constant of the wrong length',
      (b: GraphBuilder) => b.constant(float32(3), Float32Array.of(1)),
      '1 values for [3]',
    ],
    ['an output bound twice', (b: GraphBuilder) => b.output('y', 'x'), 'output y is bound twice'],
    ['a state updated twice', (b: GraphBuilder) => b.update('w', 'w'), 'state w is updated twice'],
  ])('refuses %s', (_, act, message) => {
    expect(() => act(example())).toThrow(message);
  });

  it.each([
    ['a missing attribute', { attrs: {} }, 'attribute transposeA must be bool'],
    [
      'an attribute of another op',
      { attrs: { transposeA: false, transposeB: false, axis: 1 } },
      'there is no attribute axis',
    ],
    ['too few operands', { inputs: ['x'] }, 'takes a, b, received 1 inputs'],
  ])('the check refuses %s', (_, change, message) => {
    const graph = example().build();
    const broken: Graph = { ...graph, nodes: graph.nodes.map((node, i) => (i === 0 ? { ...node, ...change } : node)) };
    expect(() => checkGraph(broken)).toThrow(message);
  });

  it('the check refuses an update of another type', () => {
    const graph = example().build();
    expect(() => checkGraph({ ...graph, updates: new Map([['w', 'bias']]) })).toThrow(
      'state is float32[3, 2], new value is float32[2]',
    );
  });

  it('never gives a reserved name away', () => {
    const builder = example();
    builder.reserve('Neg_2');
    expect(builder.op('Neg', ['x'])).toBe('Neg_3');
  });
});
