import type { Model, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { numbers } from '../../support/graphs.ts';
import { floats, modelOf, positive, scalar } from '../../support/onnx-steps.ts';
import type { Step } from '../../support/onnx-steps.ts';

beforeAll(() => useLazyBackend(evaluator));

const kind = (of: string): [string, string] => ['pkg.torch.export.graph_signature.InputSpec.kind', of];
const folded = (...from: string[]): [string, string] => [
  'pkg.onnxscript.optimizer.folded_from',
  `[${from.map((one) => `'${one}'`).join(', ')}]`,
];

/** A file with notes on its stored tensors, written and read. */
function noted(stored: Record<string, OnnxTensor>, steps: readonly Step[], notes: Record<string, [string, string]>) {
  const model = modelOf(['N', 4], { ...stored, fc: floats(4, 2) }, [...steps, ['MatMul', [`y${steps.length - 1}`, 'fc']]]); // prettier-ignore
  const valueInfos = Object.entries(notes).map(([name, note]) => ({ name, metadata: new Map([note]) }));
  const whole: Model = { ...model, graph: { ...model.graph, valueInfos } };
  const options = { inputShape: [4], classes: 2, seed: 0, head: 'keep', freeze: [] } as const;
  return onnxNetwork(decodeModel(encodeModel(whole), 'm.onnx'), 'm.onnx', options);
}

it("only what PyTorch trains is trained, where its exporter's notes say what that is", () => {
  const { trainable, origin } = noted(
    {
      ...{ gain: floats(4), mean: floats(4), scales: floats(4), sin: floats(4), slice_1: floats(4), clone: floats(4) },
      ...{ scalar_tensor_default: scalar(1), blur: floats(4, 4), val_3: floats(4, 4) },
    },
    [
      ['Mul', ['x', 'gain']],
      ['Sub', ['y0', 'mean']],
      ['Mul', ['y1', 'scales']],
      ['Add', ['y2', 'sin']],
      ['Add', ['y3', 'slice_1']],
      ['Add', ['y4', 'clone']],
      ['Add', ['y5', 'scalar_tensor_default']],
      ['MatMul', ['y6', 'blur']],
      ['MatMul', ['y7', 'val_3']],
    ],
    {
      ...{ gain: kind('PARAMETER'), mean: kind('BUFFER'), scales: kind('CONSTANT_TENSOR'), blur: kind('BUFFER') },
      ...{ sin: folded('arange_1', '_to_copy', 'mul_9', 'val_3'), clone: folded('lifted_tensor_0') },
      // Positions that were learnt, of which the model takes the first.
      slice_1: folded('positions', 'val_1'),
      scalar_tensor_default: folded('val_16'),
      val_3: folded('layer.weight', 'val_2'),
    },
  );
  expect(Object.keys(trainable).sort()).toEqual(['fc', 'gain', 'slice_1', 'val_3']);
  expect(origin!.join('\n')).toMatch(/that are not learned stay as they are: mean, scales, sin, clone, scalar_tensor_default, blur$/m); // prettier-ignore
});

it('what the exporter computed from parameters is trained in their place, and said; what it computed from others is not', () => {
  const model = modelOf(['N', 4], { select_1: floats(4), clone_1: floats(4), fc: floats(4, 2) }, [
    ['Add', ['x', 'select_1']],
    ['Add', ['y0', 'clone_1']],
    ['MatMul', ['y1', 'fc']],
  ]);
  const signature =
    "p_fc: PARAMETER target='fc'\np_biases: PARAMETER target='attn.biases'\nc_t: CONSTANT_TENSOR target='lifted_tensor_0'\n";
  const metadata = new Map([['pkg.torch.export.ExportedProgram.graph_signature', signature]]);
  const valueInfos = Object.entries({
    select_1: folded('attn.biases', 'attn.indices'),
    clone_1: folded('lifted_tensor_0'),
  });
  const graph = {
    ...model.graph,
    metadata,
    valueInfos: valueInfos.map(([name, note]) => ({ name, metadata: new Map([note]) })),
  };
  const options = { inputShape: [4], classes: 2, seed: 0, head: 'keep', freeze: [] } as const;
  const { trainable, origin } = onnxNetwork({ ...model, graph }, 'm.onnx', options);
  expect(Object.keys(trainable).sort()).toEqual(['fc', 'select_1']);
  expect(origin).toContain('m.onnx: computed by the exporter from parameters, and trained in their place: select_1 (computed from attn.biases)'); // prettier-ignore
  expect(origin).toContain('m.onnx: stored numbers that are not learned stay as they are: clone_1');
});

it('statistics of a batch norm, which are buffers, follow the data', () => {
  const names = ['scale', 'bias', 'running_mean', 'running_var'];
  const { state, trainable } = noted(
    { scale: floats(4), bias: floats(4), running_mean: floats(4), running_var: positive(4) },
    [['BatchNormalization', ['x', ...names]]],
    { running_mean: kind('BUFFER'), running_var: kind('BUFFER'), scale: kind('PARAMETER') },
  );
  expect(Object.keys(state).sort()).toEqual(['bias', 'fc', 'running_mean', 'running_var', 'scale']);
  expect(Object.keys(trainable).sort()).toEqual(['bias', 'fc', 'scale']);
});

it('a file of our own trains its weights, and none of its other numbers', () => {
  const b = new GraphBuilder();
  const told = (value: number): string => b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(value));
  const table = (name?: string): string => b.constant({ dtype: 'float32', shape: [4, 4] }, numbers(16, name ?? 't'), name); // prettier-ignore
  const dense = (x: string, w: string): string => b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false });
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 4] });
  const power = b.op('Add', [b.op('Multiply', [dense(x, table()), told(0.5)]), told(1e-6)]);
  b.output('logits', dense(power, table('head')));
  const model = decodeModel(encodeModel(lowerToOnnx(b.build())), 'm.onnx');
  const { trainable, origin } = onnxNetwork(model, 'm.onnx', { inputShape: [4], classes: 4, seed: 0, head: 'keep', freeze: [] }); // prettier-ignore
  expect(Object.keys(trainable)).toEqual(['head']);
  expect(origin!.join('\n')).toMatch(/not learned stay as they are: const_1, const_2, const_3$/m);
});

it('weights are trained that are called as results are here, as batch norms leave them in our own files', () => {
  const stored = { Multiply_1: floats(4, 4), Add_1: floats(4) };
  const steps: Step[] = [
    ['Mul', ['x', 'x']],
    ['Add', ['y0', 'x']],
    ['MatMul', ['y1', 'Multiply_1']],
    ['Add', ['y2', 'Add_1']],
  ];
  expect(Object.keys(noted(stored, steps, {}).trainable).sort()).toEqual(['Add_1', 'Multiply_1', 'fc']);
});
