import { leavesLast } from '../../../src/formats/onnx/leaves.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';

it('puts nodes that no other reads at the end, the first of them last', () => {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: [2] });
  const y = b.op('Tanh', [x]);
  b.output('a', b.op('Exp', [y]));
  const z = b.op('Sqrt', [y]);
  b.output('b', b.op('Neg', [z]));
  b.output('c', b.op('Abs', [z]));
  const model = lowerToOnnx(b.build());
  expect(model.graph.nodes.map(({ op }) => op)).toEqual(['Tanh', 'Exp', 'Sqrt', 'Neg', 'Abs']);
  expect(leavesLast(model).graph.nodes.map(({ op }) => op)).toEqual(['Tanh', 'Sqrt', 'Abs', 'Neg', 'Exp']);
});
