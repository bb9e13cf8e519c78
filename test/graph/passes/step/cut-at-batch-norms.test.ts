import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { cutAtBatchNorms } from '../../../../src/graph/passes/step/cut-at-batch-norms.ts';

const matrix = { dtype: 'float32', shape: [4, 3] } as const;
const channels = { dtype: 'float32', shape: [3] } as const;
const scalar = { dtype: 'float32', shape: [] } as const;

/** Two norms of one input, whose sum a third one normalizes. */
function norms(): GraphBuilder {
  const b = new GraphBuilder();
  const [x, samples] = [b.input('x', matrix), b.input('samples', scalar)];
  const [scale, offset] = [b.state('scale', channels), b.state('offset', channels)];
  const of = (value: string): string[] => b.node('BatchNormTrain', [value, scale, offset], { epsilon: 1e-3 });
  const [[one], [two]] = [of(x), of(b.op('Neg', [x]))];
  const [y, mean, , inverse] = of(b.op('Add', [one!, two!]));
  const [dx] = b.node('BatchNormTrainGrad', [b.op('Square', [y!]), y!, scale, mean!, inverse!]);
  b.output('dx', dx!);
  b.output('twice', b.op('Multiply', [x, samples]));
  return b;
}

it('cuts where norms wait for the whole batch, once for those of one depth', () => {
  const pieces = cutAtBatchNorms(norms().build(), 'samples');
  const parts = pieces.map(({ outputs }) => [...outputs.keys()].filter((name) => name.startsWith('part/')));
  // Means of two norms, their variances; mean and variance of the third; both means of its gradient.
  expect(parts.map(({ length }) => length)).toEqual([2, 2, 1, 1, 2, 0]);
  expect(pieces.map(({ outputs }) => outputs.has('twice'))).toEqual([true, false, false, false, false, false]);
  expect(pieces.at(-1)!.outputs.has('dx')).toBe(true);
});

it('feeds a piece what those before it made, and nothing else', () => {
  const pieces = cutAtBatchNorms(norms().build(), 'samples');
  const given = new Set(['x', 'samples']);
  for (const { inputs, outputs, state } of pieces) {
    for (const name of inputs.keys()) expect([name, given.has(name)]).toEqual([name, true]);
    for (const name of state.keys()) expect(['scale', 'offset']).toContain(name);
    for (const name of outputs.keys()) given.add(name.replace(/^carried\//, '').replace(/^part\//, 'whole/'));
  }
});

it('leaves a graph without norms in one piece, and refuses one that updates variables', () => {
  const b = new GraphBuilder();
  const [w, x] = [b.state('w', matrix), b.input('x', matrix)];
  b.output('y', b.op('Add', [w, x]));
  expect(cutAtBatchNorms(b.build(), 'samples')).toHaveLength(1);
  b.update('w', b.op('Sub', [w, x]));
  expect(() => cutAtBatchNorms(b.build(), 'samples')).toThrow('cannot be cut');
});
