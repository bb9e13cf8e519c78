import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { liftConstants } from '../../../../src/graph/passes/constants/lift-constants.ts';

it('neither weights nor what stays a constant is a view, which would keep a whole file in memory', () => {
  const file = new Float32Array(1000).map((_, i) => i);
  const type = { dtype: 'float32', shape: [2] } as const;
  const builder = new GraphBuilder();
  const x = builder.input('x', type);
  const weight = builder.constant(type, file.subarray(10, 12), 'weight');
  const fixed = builder.constant(type, file.subarray(20, 22), 'fixed');
  builder.output('y', builder.op('Add', [builder.op('Multiply', [x, weight]), fixed]));
  const { graph, content } = liftConstants(builder.build(), (name) => name === 'weight');
  expect([[...graph.state.keys()], [...graph.constants.keys()]]).toEqual([['weight'], ['fixed']]);
  for (const [{ data }, first] of [
    [content.get('weight')!, 10],
    [graph.constants.get('fixed')!, 20],
  ] as const) {
    // prettier-ignore
    expect([...data]).toEqual([first, first + 1]);
    expect(data.buffer.byteLength).toBe(8);
  }
});
