import { UserError } from '../../../src/base/errors.ts';
import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Model, OnnxDim, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, floats, ints, modelOf, scalar } from '../../support/onnx-steps.ts';

const IMAGE = ['N', 4, 7, 8] as const;
const FED = [2, 4, 7, 8];
const stored = {
  none: ints(),
  no: tensor('', 'bool', [], Uint8Array.of(0)),
  yes: tensor('', 'bool', [], Uint8Array.of(1)),
  half: scalar(0.5),
  slopes: floats(4),
  square: floats(4, 4),
  one: floats(2, 4, 1, 1),
  column: floats(4, 1),
  two: ints(2),
  counts: ints(2, 3),
};

type Case = [readonly OnnxDim[], readonly number[], Step[], opset?: number];

/** What the reader once passed over. */
const CASES: Record<string, Case> = {
  'Selu with alpha and gamma of its own': [IMAGE, FED, [['Selu', ['x'], { alpha: 1.25, gamma: 2.5 }]]],
  'Selu as usual': [IMAGE, FED, [['Selu', ['x']]]],
  'Elu with another alpha': [IMAGE, FED, [['Elu', ['x'], { alpha: 0.25 }]]],
  'an average over padding, rounded up': [
    IMAGE,
    FED,
    [
      [
        'AveragePool',
        ['x'],
        { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 },
      ],
    ],
  ],
  'an average without padding, rounded up': [
    IMAGE,
    FED,
    [['AveragePool', ['x'], { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1, count_include_pad: 1 }]],
  ],
  'no window that begins in the padding behind the picture, rounded up or not': [
    IMAGE,
    FED,
    [['MaxPool', ['x'], { kernel_shape: [2, 2], strides: [7, 4], pads: [0, 0, 1, 1], ceil_mode: 1 }]],
  ],
  'a convolution whose windows leave pixels out': [
    IMAGE,
    FED,
    [['Conv', ['x', 'one'], { strides: [4, 5], auto_pad: 'SAME_UPPER' }]],
  ],
  'a sum over no axes, which are all': [IMAGE, FED, [['ReduceSum', ['x', 'none'], { keepdims: 1 }]], 13],
  'a mean over no axes, which are all': [IMAGE, FED, [['ReduceMean', ['x', 'none']]], 18],
  'a sum over no axes, which are none': [IMAGE, FED, [['ReduceSum', ['x', 'none'], { noop_with_empty_axes: 1 }]], 13],
  'a largest value over no axes, which are none': [
    IMAGE,
    FED,
    [['ReduceMax', ['x', 'none'], { noop_with_empty_axes: 1 }]],
    18,
  ],
  'dropout that says it is not in training': [IMAGE, FED, [['Dropout', ['x', 'half', 'no']]]],
  'softmax over channels': [IMAGE, FED, [['Softmax', ['x'], { axis: 1 }]]],
  'softmax without an axis, of operator set 13': [IMAGE, FED, [['Softmax', ['x']]], 13],
  'softmax over a middle axis': [['N', 5, 6], [2, 5, 6], [['LogSoftmax', ['x'], { axis: -2 }]]],
  'softmax over all axes from the second on, of operator set 11': [IMAGE, FED, [['Softmax', ['x'], { axis: 1 }]], 11],
  'a product with a bias for each row': [[4, 4], [4, 4], [['Gemm', ['x', 'square', 'column']]]],
  'bounds that are computed': [
    IMAGE,
    FED,
    [
      ['ReduceMax', ['x'], { keepdims: 0 }],
      ['Mul', ['y0', 'half']],
      ['Neg', ['y1']],
      ['Clip', ['x', 'y2', 'y1']],
      ['Clip', ['x', '', 'y1']],
      ['Clip', ['y4', 'y2']],
      ['Sub', ['y3', 'y5']],
      ['Add', ['y6', 'y4']],
    ],
  ],
  'bounds that cross': [IMAGE, FED, [['Clip', ['x', 'half', 'low']]]],
  'parts of different sizes': [['N', 7], [3, 7], [['Split', ['x'], { axis: 1, num_outputs: 2 }, ['y', 'z']]], 18],
  'a power with an exponent of integers': [['N', 7], [3, 7], [['Pow', ['x', 'two']]]],
  'a constant of one value': [
    ['N', 2, 3],
    [4, 2, 3],
    [
      ['ConstantOfShape', ['counts']],
      ['Add', ['x', 'y0']],
    ],
  ],
  'layer normalization over two axes': [['N', 4, 4], [2, 4, 4], [['LayerNormalization', ['x', 'square'], { axis: 1 }]]],
};
const held: Record<string, OnnxTensor> = { ...stored, low: scalar(-0.5) };

describe('a node that says more than its name', () => {
  it.each(Object.entries(CASES))('gives what ONNX Runtime gives: %s', async (_, [dims, fed, steps, opset]) => {
    await expectSame(modelOf(dims, held, steps, opset), fed);
  });

  it.each([
    ['an attribute', [['Relu', ['x'], { slope: 0.5 }]], /n \(Relu\): its attribute slope \(0\.5\) is not read here/],
    [
      'a list',
      [['Conv', ['x', 'f'], { output_shape: [1, 2] }]],
      /Conv\): its attribute output_shape \(\[1, 2\]\) is not/,
    ],
    ['an input', [['Relu', ['x', 'half']]], /n \(Relu\): its input 2, half, is not read here/],
    [
      'an output that a node reads',
      [
        ['MaxPool', ['x'], { kernel_shape: [2, 2] }, ['p', 'places']],
        ['Add', ['p', 'places']],
      ],
      /\(MaxPool\): its output 2, places, is not computed here/,
    ],
    [
      'a pool whose windows leave pixels out',
      [['LpPool', ['x'], { kernel_shape: [1, 1], strides: [4, 5], auto_pad: 'SAME_UPPER' }]],
      /\(LpPool\): its windows of 1 with strides of 4 do not fill 7: SAME_UPPER cuts away/,
    ],
    [
      'a dilated pool that says how it is padded by its result',
      [['MaxPool', ['x'], { kernel_shape: [2, 2], dilations: [2, 2], auto_pad: 'SAME_LOWER' }]],
      /\(MaxPool\): SAME_LOWER with windows dilated by 2, which runtimes pad differently/,
    ],
    ['a batch norm in training', [['BatchNormalization', ['x', 'slopes', 'slopes', 'slopes', 'slopes'], { training_mode: 1 }]], /\(BatchNormalization\): it is in training mode/], // prettier-ignore
    ['dropout in training', [['Dropout', ['x', 'half', 'yes']]], /\(Dropout\): .*it is in training mode/],
    [
      'padding of an unknown kind',
      [['Pad', ['x', 'pads'], { mode: 'zigzag' }]],
      /\(Pad\): its attribute mode is zigzag/,
    ],
    ['an attribute of another type', [['Softmax', ['x'], { axis: [1] }]], /axis is of the type ints, expected int/],
    ['another precision inside', [['LayerNormalization', ['x', 'slopes'], { stash_type: 16 }]], /stash_type is 16/],
    ['another kernel than its filter', [['Conv', ['x', 'f'], { kernel_shape: [1, 1] }]], /kernel_shape is \[1, 1\]/],
    ['a batch that is squeezed or not', [['Squeeze', ['x']]], /\(Squeeze\): without axes/],
    ['a sine of integers', [['Sin', ['two']]], /\(Sin\): it computes with int64; expected float32/],
  ] as [string, Step[], RegExp][])('is refused by node and operator: %s', (_, steps, message) => {
    const model = modelOf(IMAGE, { ...held, f: floats(2, 4, 3, 3), pads: ints(0, 0, 1, 1, 0, 0, 1, 1) }, steps);
    const named: Model = {
      ...model,
      graph: { ...model.graph, nodes: model.graph.nodes.map((node) => ({ ...node, name: 'n' })) },
    };
    const attempt = (): unknown => importOnnx(named, 'm.onnx');
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(UserError);
  });

  it('takes as given what old exporters say about memory', () => {
    const model = modelOf(IMAGE, {}, [['Relu', ['x'], { consumed_inputs: [0] }]], 1);
    expect(importOnnx(model, 'm.onnx').nodes.map(({ op }) => op)).toEqual(['Relu']);
  });
});

describe('a model as a whole', () => {
  it('without an input is refused, and so is one of another float type, by what to do', () => {
    const model = modelOf(['N', 3], {}, [['Relu', ['x']]]);
    const withInputs = (inputs: Model['graph']['inputs']): (() => unknown) => {
      return () => importOnnx({ ...model, graph: { ...model.graph, inputs } }, 'm.onnx');
    };
    expect(withInputs([])).toThrow('m.onnx: expected a model with an input, received one without');
    const half = withInputs([{ name: 'x', dtype: 'float64', dims: ['N', 3] }]);
    expect(half).toThrow('m.onnx: input x: expected float32, int32, int64 or bool, received float64');
    expect(half).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^Start from the float32 model/) as string }) as Error,
    );
    expect(withInputs([{ name: 'x', dtype: 'uint8', dims: ['N', 3] }])).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^Export it with a float32 example/) as string }) as Error,
    );
  });

  it('names an output that is no tensor of floats', () => {
    expect(() => importOnnx(modelOf(IMAGE, {}, [['Shape', ['x']]]), 'm.onnx')).toThrow(
      'm.onnx: node y (output): it reads y, which is computed from shapes; expected float32',
    );
  });
});
