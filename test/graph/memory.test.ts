import { GraphBuilder } from '../../src/graph/builder.ts';
import { liveBytes } from '../../src/graph/memory.ts';
import type { TensorType } from '../../src/graph/types.ts';

const type = (...shape: number[]): TensorType => ({ dtype: 'float32', shape });

it('counts a value from the node that makes it to the last that reads it', () => {
  const b = new GraphBuilder();
  const x = b.input('x', type(10));
  const first = b.op('Square', [x]);
  const second = b.op('Square', [first]);
  const third = b.op('Square', [second]);
  b.output('y', b.op('Sum', [third], { axes: [0], keepDims: false }));
  // Two of them at once: what is read, and what is made of it. y is handed back.
  expect(liveBytes(b.build())).toEqual({ ends: 40 + 4, state: 0, values: 80 });
});

it('counts a value that is read again at the end all along, and a view of it not again', () => {
  const b = new GraphBuilder();
  const x = b.input('x', type(10));
  const first = b.op('Square', [x]);
  const view = b.op('Reshape', [first], { shape: [2, 5] });
  const third = b.op('Square', [b.op('Square', [view])]);
  b.output('y', b.op('Sum', [b.op('Add', [third, view])], { axes: [0, 1], keepDims: false }));
  expect(liveBytes(b.build()).values).toBe(3 * 40);
});

it('counts a variable that changes twice, and its next content not among the values', () => {
  const b = new GraphBuilder();
  const x = b.input('x', type(10));
  const w = b.state('w', type(10));
  b.update('w', b.op('Add', [w, x]));
  expect(liveBytes(b.build())).toEqual({ ends: 40, state: 80, values: 0 });
});
