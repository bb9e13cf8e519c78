import { importOnnx } from '../../../../src/formats/onnx/import.ts';
import { expectSame, floats, modelOf } from '../../../support/onnx-steps.ts';

/** A net of skl2onnx behind its scaler. */
function scaled(scale: readonly number[]) {
  const { graph, opsets, ...rest } = modelOf(['N', 3], { w: floats(3, 2) }, [
    ['Scaler', ['x']],
    ['MatMul', ['y0', 'w']],
  ]);
  const attrs = new Map([
    ['offset', { type: 'floats', value: [20, 0.5, -3] }],
    ['scale', { type: 'floats', value: scale }],
  ] as const);
  const nodes = graph.nodes.map((node) => (node.op === 'Scaler' ? { ...node, domain: 'ai.onnx.ml', attrs } : node));
  return { ...rest, opsets: new Map([...opsets, ['ai.onnx.ml', 1] as const]), graph: { ...graph, nodes } };
}

describe('a Scaler of scikit-learn', () => {
  it('takes the offset off and multiplies, as ONNX Runtime does', async () => {
    await expectSame(scaled([0.1, 2, 3]), [4, 3]);
  });

  it('has no weights that a student would train', () => {
    const graph = importOnnx(scaled([1, 2, 3]), 'm.onnx', { isTrained: true });
    expect([...graph.constants.keys()].filter((name) => !name.startsWith('onnx::Scaler_'))).toEqual(['w']);
  });
});
