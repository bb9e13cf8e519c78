import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { withoutSoftmax } from '../../../../src/formats/onnx/rewrite/without-softmax.ts';
import { floats, modelOf, run } from '../../../support/onnx-steps.ts';
import type { Step } from '../../../support/onnx-steps.ts';
import { expectClose } from '../../../support/graphs.ts';

const stored = { w: floats(4, 3) };
const DENSE: Step = ['MatMul', ['x', 'w']];
const model = (...steps: Step[]) => modelOf(['n', 4], stored, [DENSE, ...steps]);
const answers = (of: ReturnType<typeof model>) => run(encodeModel(of), [2, 4]);

it.each<[string, Step[]]>([
  ['itself', [['Softmax', ['y0'], { axis: 1 }]]],
  [
    'an Identity behind it',
    [
      ['Softmax', ['y0']],
      ['Identity', ['y1']],
    ],
  ],
])('a file that ends in a softmax answers with what is before: %s', async (_, steps) => {
  expectClose(await answers(withoutSoftmax(model(...steps))), await answers(model()));
});

it('other files stay as they are', () => {
  const inner = model(['Softmax', ['y0']], ['Mul', ['y1', 'y1']]);
  const rows = model(['Softmax', ['y0'], { axis: 0 }]);
  const { graph, ...rest } = model(['Softmax', ['y0']]);
  const two = { ...rest, graph: { ...graph, outputs: [...graph.outputs, { ...graph.outputs[0]!, name: 'y0' }] } };
  for (const one of [model(), inner, rows, two]) expect(withoutSoftmax(one)).toBe(one);
  expect(withoutSoftmax(two, 'y0')).toBe(two);
  expect(withoutSoftmax(two, 'y')).not.toBe(two);
});
