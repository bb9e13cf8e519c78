import { parameterCount, tensor } from '../../../src/formats/onnx/model.ts';
import type { OnnxAttr } from '../../../src/formats/onnx/model.ts';
import { modelOf } from '../../support/onnx-steps.ts';

const floats = (count: number): OnnxAttr => ({ type: 'floats', value: new Array<number>(count).fill(0.5) });

it.each<[string, Readonly<Record<string, OnnxAttr>>, number]>([
  [
    'trees have their thresholds and leaves',
    // Two trees of one split and two leaves each, of three classes.
    {
      nodes_values: floats(6),
      nodes_modes: { type: 'strings', value: ['BRANCH_LEQ', 'LEAF', 'LEAF', 'BRANCH_LEQ', 'LEAF', 'LEAF'] },
      nodes_hitrates: floats(6),
      class_weights: floats(12),
    },
    2 + 12,
  ],
  [
    'trees as operator set 5 of ai.onnx.ml writes them have them too',
    {
      nodes_splits: { type: 'tensor', value: tensor('', 'float32', [2], new Float32Array(2)) },
      nodes_modes: { type: 'tensor', value: tensor('', 'uint8', [2], new Uint8Array(2)) },
      leaf_weights: { type: 'tensor', value: tensor('', 'float32', [4], new Float32Array(4)) },
    },
    2 + 4,
  ],
  ['a linear model has its coefficients', { coefficients: floats(6), intercepts: floats(3) }, 9],
])('parameters: %s', (_name, attrs, count) => {
  const { graph } = modelOf(['n', 2], {}, [['TreeEnsembleClassifier', ['x'], attrs]]);
  const nodes = graph.nodes.map((node) => ({ ...node, domain: 'ai.onnx.ml' }));
  expect(parameterCount({ ...graph, nodes })).toBe(count);
});
