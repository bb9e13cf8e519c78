import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { splitUpdates } from '../../../../src/graph/passes/step/split-updates.ts';

const vector = { dtype: 'float32', shape: [2, 3] } as const;
const scalar = { dtype: 'float32', shape: [] } as const;

/** w ← w - rate · (g · g), with g = x + x that the graph hands out. */
function step(): GraphBuilder {
  const b = new GraphBuilder();
  const [w, x, rate] = [b.state('w', vector), b.input('x', vector), b.input('rate', scalar)];
  const g = b.op('Add', [x, x]);
  b.output('g', g);
  b.update('w', b.op('Sub', [w, b.op('Multiply', [b.op('Square', [g]), rate])]));
  return b;
}

it('takes arithmetic on every number of a variable out of the graph', () => {
  const { rest, updates } = splitUpdates(step().build())!;
  expect(updates).toHaveLength(1);
  expect(updates[0]).toMatchObject({ elements: 6, vectors: ['Add_1', 'w'], scalars: ['rate'] });
  expect(updates[0]!.nodes.map(({ op }) => op)).toEqual(['Square', 'Multiply', 'Sub']);
  expect(rest.nodes.map(({ op }) => op)).toEqual(['Add']);
  expect([...rest.inputs.keys(), ...rest.state.keys(), ...rest.updates.keys()]).toEqual(['x']);
  expect([...rest.outputs]).toEqual([
    ['g', 'Add_1'],
    ['update/Add_1', 'Add_1'],
  ]);
});

it('leaves what something else reads, and what is not arithmetic on each number', () => {
  const b = new GraphBuilder();
  const [w, v, x] = [b.state('w', vector), b.state('v', { dtype: 'float32', shape: [3] }), b.input('x', vector)];
  const next = b.op('Add', [w, x]);
  b.update('w', next);
  b.output('next', next);
  b.update('v', b.op('Add', [v, b.op('Sum', [x], { axes: [0], keepDims: false })]));
  const { rest, updates } = splitUpdates(b.build())!;
  expect(updates.map(({ writes }) => [...writes.keys()])).toEqual([['v']]);
  expect(rest.nodes.map(({ op }) => op)).toEqual(['Add', 'Sum']);
});

it('computes together what reads the old content of a variable that is written', () => {
  const b = step();
  b.update('average', b.op('Add', [b.state('average', vector), 'w']));
  const { updates } = splitUpdates(b.build())!;
  expect(updates.map(({ writes }) => [...writes.keys()])).toEqual([['w', 'average']]);
});

it('leaves an update that reads what the rest of the graph writes', () => {
  const b = new GraphBuilder();
  const [w, v, x] = [b.state('w', vector), b.state('v', vector), b.input('x', vector)];
  b.update('w', b.op('Tanh', [x]));
  b.update('v', b.op('Add', [v, w]));
  expect(splitUpdates(b.build())).toBeUndefined();
});

it('hands rows and ids over instead of their sum, where nothing else reads the sum and rows are of whole vectors of numbers', () => {
  const summed = (isRead: boolean, width = 4) => {
    const b = new GraphBuilder();
    const w = b.state('w', { dtype: 'float32', shape: [9, width] });
    const x = b.input('x', { dtype: 'float32', shape: [1, 2, width] });
    const words = b.input('ids', { dtype: 'int32', shape: [2] });
    const [values, ids] = [b.op('Add', [x, x]), b.op('Add', [words, words])];
    const rows = b.op('Reshape', [values], { shape: [2, width] });
    const sum = b.op('UnsortedSegmentSum', [rows, ids], { numSegments: 9 });
    if (isRead) b.output('sum', sum);
    b.update('w', b.op('Sub', [w, sum]));
    return splitUpdates(b.build())!;
  };
  const { rest, updates, rowSums } = summed(false);
  expect([...rowSums.values()]).toEqual([{ rows: 'Add_1', ids: 'Add_2', segments: 9 }]);
  expect(updates[0]).toMatchObject({ vectors: ['w', ...rowSums.keys()], rowed: [...rowSums.keys()], row: 4 });
  // Rows are given as they were before they were reshaped, which would be a copy.
  expect([...rest.outputs.values()]).toEqual(['Add_1', 'Add_2']);
  expect(summed(true).rowSums.size).toBe(0);
  expect(summed(false, 3).rowSums.size).toBe(0);
});

/** w ← f · (w - g), with f = Σ (w - g)² over `axes`, and the sum for `also`. */
function limited(axes: readonly number[], also: (b: GraphBuilder, sum: string) => void = () => undefined) {
  const shape = [3, 8];
  const b = new GraphBuilder();
  const [w, g] = [b.state('w', { dtype: 'float32', shape }), b.input('g', { dtype: 'float32', shape })];
  const moved = b.op('Sub', [w, g]);
  const sum = b.op('Sum', [b.op('Square', [moved])], { axes, keepDims: true });
  b.update('w', b.op('Multiply', [moved, sum]));
  also(b, sum);
  return splitUpdates(b.build());
}

it('takes factors that follow from sums of columns, and no other sums', () => {
  const { rest, updates } = limited([0])!;
  expect(rest.nodes).toEqual([]);
  expect(updates).toMatchObject([{ elements: 24, row: 8, vectors: ['w', 'g'], columns: ['Sum_1'], scalars: [] }]);
  expect(limited([1])).toBeUndefined();
  expect(limited([0], (b, sum) => b.output('sum', sum))).toBeUndefined();
});

it('leaves extremes of whole variables, whose zeros have other signs', () => {
  const b = new GraphBuilder();
  b.update('w', b.op('Maximum', [b.state('w', vector), b.input('x', vector)]));
  expect(splitUpdates(b.build())).toBeUndefined();
});

it('leaves a sum of columns that becomes the content of a variable, or that a variable of its size reads', () => {
  const type = { dtype: 'float32', shape: [1, 8] } as const;
  expect(limited([0], (b, sum) => b.update(b.state('sums', type), sum))).toBeUndefined();
  const { updates } = limited([0], (b, sum) => b.update('v', b.op('Add', [b.state('v', type), sum])))!;
  expect(updates.map(({ writes, row }) => [[...writes.keys()], row])).toEqual([[['v'], 8]]);
});
