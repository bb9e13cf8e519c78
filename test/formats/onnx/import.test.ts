import { importedOps, importOnnx } from '../../../src/formats/onnx/import.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { OnnxDim, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { forInference } from '../../../src/graph/passes/inference/for-inference.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, floats, ints, modelOf, positive, scalar } from '../../support/onnx-steps.ts';

const IMAGE = ['N', 3, 9, 8] as const;
const [shape, table] = [
  [2, 3, 9, 8],
  [4, 6],
];
const filter = { w: floats(4, 3, 3, 3), b: floats(4) };

const CASES: Record<string, [readonly OnnxDim[], readonly number[], Record<string, OnnxTensor>, Step[], number?]> = {
  'a convolution with asymmetric padding': [
    IMAGE,
    shape,
    filter,
    [['Conv', ['x', 'w', 'b'], { pads: [1, 0, 2, 1], strides: [2, 1] }]],
  ],
  SAME_LOWER: [IMAGE, shape, filter, [['Conv', ['x', 'w'], { auto_pad: 'SAME_LOWER', strides: [2, 2] }]]],
  'a depthwise convolution with a multiplier': [
    IMAGE,
    shape,
    { w: floats(6, 1, 3, 3) },
    [['Conv', ['x', 'w'], { group: 3, dilations: [2, 1] }]],
  ],
  'a network out of PyTorch': [
    IMAGE,
    shape,
    {
      ...filter,
      s: positive(4),
      o: floats(4),
      m: floats(4),
      v: positive(4),
      low: scalar(0),
      high: scalar(6),
      axes: ints(0),
      i1: ints(1),
      minus: ints(-1),
      fc: floats(5, 48),
      fb: floats(5),
    },
    [
      ['Conv', ['x', 'w', 'b'], { pads: [1, 1, 1, 1] }],
      ['BatchNormalization', ['y0', 's', 'o', 'm', 'v'], { epsilon: 0.001 }],
      ['Clip', ['y1', 'low', 'high']],
      ['MaxPool', ['y2'], { kernel_shape: [2, 2], strides: [2, 2] }],
      ['Add', ['y3', 'y3']],
      ['AveragePool', ['y4'], { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1], count_include_pad: 1 }],
      ['Concat', ['y5', 'y4'], { axis: 1 }],
      ['Mul', ['y6', 'y6']],
      ['MaxPool', ['y7'], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 0 }],
      ['Slice', ['y8', 'axes', 'fours', 'i1']],
      ['Flatten', ['y9'], { axis: 1 }],
      ['Concat', ['y10', 'y10', 'y10'], { axis: 1 }],
      ['Gemm', ['y11', 'fc', 'fb'], { transB: 1, alpha: 0.5, beta: 2.5 }],
      ['Softmax', ['y12']],
    ],
  ],
  'a convolution with standardized weights, as an NFNet has them': [
    IMAGE,
    shape,
    {
      w: floats(1, 4, 27),
      s: positive(4),
      o: floats(4),
      m: floats(4),
      v: positive(4),
      to: ints(4, 3, 3, 3),
      b: floats(4),
    },
    [
      [
        'BatchNormalization',
        ['w', 's', 'o', 'm', 'v'],
        { epsilon: 1e-6, training_mode: 1 },
        ['w0', 'mean', 'variance'],
      ],
      ['Reshape', ['w0', 'to']],
      ['Conv', ['x', 'y1', 'b']],
    ],
  ],
  'a shape that is computed from the batch': [
    IMAGE,
    shape,
    { zero: tensor('', 'int64', [], BigInt64Array.of(0n)), axes: ints(0), rest: ints(-1) },
    [
      ['Relu', ['x']],
      ['Shape', ['y0']],
      ['Gather', ['y1', 'zero'], { axis: 0 }],
      ['Unsqueeze', ['y2', 'axes']],
      ['Concat', ['y3', 'rest'], { axis: 0 }],
      ['Reshape', ['y0', 'y4']],
    ],
  ],
  'elementwise ops with operands for each channel': [
    IMAGE,
    shape,
    { ...filter, c: floats(1, 4, 1, 1), d: positive(4, 1, 1), e: positive(1), p: floats(4, 1, 1) },
    [
      ['Conv', ['x', 'w']],
      ['Mul', ['y0', 'c']],
      ['Div', ['y1', 'd']],
      ['Sub', ['e', 'y2']],
      ['PRelu', ['y3', 'p']],
      ['LeakyRelu', ['y4'], { alpha: 0.25 }],
      ['HardSigmoid', ['y5'], { alpha: 0.3 }],
      ['Mul', ['y5', 'y6']],
      ['Pad', ['y7', 'pads']],
      ['GlobalAveragePool', ['y8']],
      ['Squeeze', ['y9', 'axes']],
    ],
  ],
  ceiling: [IMAGE, shape, {}, [['MaxPool', ['x'], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }]]],
  'an attention block': [
    ['N', 6, 8],
    [2, 6, 8],
    {
      s: floats(8),
      o: floats(8),
      w: floats(8, 24),
      b: floats(24),
      heads: ints(0, 6, 2, 4),
      back: ints(0, 0, -1),
      k: scalar(0.5),
    },
    [
      ['LayerNormalization', ['x', 's', 'o']],
      ['MatMul', ['y0', 'w']],
      ['Add', ['y1', 'b']],
      ['Split', ['y2'], { axis: 2 }, ['q', 'kk', 'v']],
      ['Reshape', ['q', 'heads']],
      ['Transpose', ['y4'], { perm: [0, 2, 1, 3] }],
      ['Reshape', ['kk', 'heads']],
      ['Transpose', ['y6'], { perm: [0, 2, 3, 1] }],
      ['MatMul', ['y5', 'y7']],
      ['Mul', ['y8', 'k']],
      ['Softmax', ['y9'], { axis: 3 }],
      ['Reshape', ['v', 'heads']],
      ['Transpose', ['y11'], { perm: [0, 2, 1, 3] }],
      ['MatMul', ['y10', 'y12']],
      ['Transpose', ['y13'], { perm: [0, 2, 1, 3] }],
      ['Reshape', ['y14', 'back']],
      ['Erf', ['y15']],
      ['ReduceMean', ['y16'], { axes: [1], keepdims: 0 }],
    ],
  ],
  'pictures far from 0, less their mean': [
    IMAGE,
    shape,
    { far: scalar(300) },
    [
      ['Add', ['x', 'far']],
      ['MeanVarianceNormalization', ['y0'], { axes: [2, 3] }],
    ],
  ],
  'a table': [
    ['N', 6],
    table,
    { w: floats(6, 3), b: floats(3) },
    [
      ['MatMul', ['x', 'w']],
      ['Add', ['b', 'y0']],
      ['Tanh', ['y1']],
      ['Sigmoid', ['y2']],
      ['Elu', ['y3']],
      ['Sqrt', ['y4']],
    ],
  ],
};
CASES['a network out of PyTorch']![2]['fours'] = ints(4);
CASES['elementwise ops with operands for each channel']![2]['pads'] = ints(0, 0, 1, 0, 0, 0, 0, 2);
CASES['elementwise ops with operands for each channel']![2]['axes'] = ints(2, 3);

describe('an ONNX file that others have written', () => {
  it.each(Object.entries(CASES))(
    'gives the same after %s has been read',
    async (_, [dims, fed, stored, steps, opset]) => {
      await expectSame(modelOf(dims, stored, steps, opset), fed);
    },
  );

  it('keeps its channels last through a network without a transpose between layers', () => {
    const [dims, , stored, steps] = CASES['a network out of PyTorch']!;
    const graph = forInference(importOnnx(modelOf(dims, stored, steps), 'm'), (part) =>
      evaluator.runSync(part, new Map()),
    );
    const transposes = graph.nodes.filter(({ op }) => op === 'Transpose').map(({ layer }) => layer);
    expect(transposes).toEqual(['node_0', 'node_10']);
  });

  it('a function of the file is refused, with how to put its nodes in its place', () => {
    const model = modelOf(['n', 2], {}, [['Twice', ['x']]]);
    const [node] = model.graph.nodes;
    const nodes = [{ ...node!, domain: 'mine' }];
    const functions = [{ name: 'Twice', domain: 'mine', bytes: new Uint8Array() }];
    expect(() => importOnnx({ ...model, functions, graph: { ...model.graph, nodes } }, 'm.onnx')).toThrow(
      expect.objectContaining({
        message: 'm.onnx: node node_0: mine.Twice is a function of the file, and functions are not read',
        hint: expect.stringContaining('onnx.inliner.inline_local_functions') as string,
      }) as Error,
    );
  });

  it('are refused by name where they are quantized, whatever else they hold, and where ONNX Runtime alone reads them', () => {
    const attempt = (steps: readonly Step[], domain = '') => {
      const { graph, ...rest } = modelOf(['N', 4], {}, steps);
      const nodes = graph.nodes.map((node) => ({ ...node, domain }));
      return () => importOnnx({ ...rest, graph: { ...graph, nodes } }, 'm.onnx');
    };
    const fault = (message: string, hint: string): Error => expect.objectContaining({ message, hint: expect.stringContaining(hint) as string }) as Error; // prettier-ignore
    for (const op of ['DynamicQuantizeLinear', 'MatMulInteger', 'DequantizeLinear', 'QLinearConv'])
      expect(attempt([['Unheard', ['x']], [op, ['y0']]])).toThrow(fault(`m.onnx: is quantized already: node node_1 is a ${op}`, 'Give the float32 file')); // prettier-ignore
    for (const op of ['QGemm', 'QLinearAdd', 'MatMulNBits', 'DynamicQuantizeMatMul'])
      expect(attempt([[op, ['x']]], 'com.microsoft')).toThrow(`m.onnx: is quantized already: node node_0 is a ${op}`);
    const forest = attempt([['TreeEnsembleClassifier', ['x']]], 'ai.onnx.ml');
    expect(forest).toThrow(fault('m.onnx: node node_0: the operator ai.onnx.ml.TreeEnsembleClassifier is not known here', 'usable as a teacher')); // prettier-ignore
  });

  it.each([
    [
      'an operator that is not known',
      [['Multinomial', ['x']]],
      /^model\.onnx: node node_0: the operator Multinomial is not known here$/,
    ],
    [
      'groups',
      [['Conv', ['x', 'w'], { group: 3 }]],
      /node node_0 \(Conv\): its input \[batch, 4, 8, 8\] has 4 channels, and its filter \[4, 2, 3, 3\] is for 6, in 3 groups/,
    ],
    [
      'quantized weights',
      [['DequantizeLinear', ['x', 's']]],
      /is quantized already: node node_0 is a DequantizeLinear/,
    ],
    ['a tensor that nothing gives', [['Relu', ['nowhere']]], /it reads nowhere, which nothing gives/],
  ] as [string, Step[], RegExp][])('is refused by node and operator: %s', (_, steps, message) => {
    const stored = { w: floats(4, 2, 3, 3), s: scalar(1) };
    expect(() => importOnnx(modelOf(['N', 4, 8, 8], stored, steps), 'model.onnx')).toThrow(message);
  });

  it('is refused if a size beside the batch is open, or it is fed another type', () => {
    const steps: Step[] = [['Relu', ['x']]];
    expect(() => importOnnx(modelOf(['N', 3, 'H', 8], {}, steps), 'm')).toThrow(/input x: .* received \[N, 3, H, 8\]/);
    const half = modelOf(['N', 3], {}, steps);
    const inputs = [{ name: 'x', dtype: 'uint8' as const, dims: ['N', 3] }];
    expect(() => importOnnx({ ...half, graph: { ...half.graph, inputs } }, 'm')).toThrow(/received uint8/);
  });

  it('lists what it knows', () => {
    expect(importedOps).toEqual([...importedOps].sort());
    expect(importedOps).toContain('Conv');
  });
});
