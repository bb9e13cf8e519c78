import { importedOps, importOnnx } from '../../../src/formats/onnx/import.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Model, OnnxAttr, OnnxDim, OnnxNode, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { forInference } from '../../../src/graph/passes/for-inference.ts';
import { evaluator } from '../../../src/runtime/evaluator.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime.ts';
import { expectClose, numbers } from '../../support/graphs.ts';

type Attrs = Readonly<Record<string, number | string | readonly number[]>>;
type Step = readonly [op: string, inputs: readonly string[], attrs?: Attrs, outputs?: readonly string[]];

const attribute = (value: number | string | readonly number[]): OnnxAttr => {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'object') return { type: 'ints', value };
  return Number.isInteger(value) ? { type: 'int', value } : { type: 'float', value };
};

/** A model of one input `x`, written as other tools write it; the result of step i is `y<i>`, of the last one `y`. */
function modelOf(
  dims: readonly OnnxDim[],
  stored: Readonly<Record<string, OnnxTensor>>,
  steps: readonly Step[],
  opset = 17,
): Model {
  const nodes = steps.map(([op, inputs, attrs = {}, outputs], i): OnnxNode => ({
    ...{ op, domain: '', name: `node_${i}`, inputs, outputs: outputs ?? [i === steps.length - 1 ? 'y' : `y${i}`] },
    attrs: new Map(Object.entries(attrs).map(([name, value]) => [name, attribute(value)])),
  }));
  return {
    ...{ irVersion: 8, opsets: new Map([['', opset]]), producerName: 'test', producerVersion: '', metadata: new Map() },
    functions: [],
    graph: {
      name: 'test',
      nodes,
      initializers: Object.entries(stored).map(([name, t]) => ({ ...t, name })),
      inputs: [{ name: 'x', dtype: 'float32', dims }],
      outputs: [{ name: 'y', dtype: 'float32' }],
      valueInfos: [],
    },
  };
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const floats = (...dims: number[]): OnnxTensor => tensor('', 'float32', dims, numbers(size(dims), 'w', dims.join()));
const positive = (...dims: number[]): OnnxTensor =>
  tensor(
    '',
    'float32',
    dims,
    numbers(size(dims), 'p', dims.join()).map((v) => Math.abs(v) + 0.5),
  );
const ints = (...values: number[]): OnnxTensor =>
  tensor('', 'int64', [values.length], BigInt64Array.from(values, BigInt));
const scalar = (value: number): OnnxTensor => tensor('', 'float32', [], Float32Array.of(value));

async function run(bytes: Uint8Array, shape: readonly number[]): Promise<Float32Array> {
  const model = new InferenceModel(bytes, 'test.onnx', {
    ...sessionOptions('cpu', { threads: 1 }),
    graphOptimizationLevel: 'disabled',
  });
  const { y } = await model.run({ x: { data: numbers(size(shape), 'x'), shape } });
  model.dispose();
  return (y!.data as Float32Array).slice();
}

/** What ONNX Runtime makes of the file, and of what we have read of it and written again. */
async function expectSame(model: Model, shape: readonly number[]): Promise<void> {
  const graph = forInference(importOnnx(model, 'test.onnx'), (part) => evaluator.runSync(part, new Map()));
  const expected = await run(encodeModel(model), shape);
  expect(expected.length).toBeGreaterThan(0);
  expectClose(await run(encodeModel(lowerToOnnx(graph)), shape), expected, 1e-5);
}

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
    expect(transposes).toEqual(['node_0', 'node_9']);
  });

  it.each([
    [
      'an operator that is not known',
      [['NonZero', ['x']]],
      /^model\.onnx: node node_0: the operator NonZero is not known here$/,
    ],
    ['groups', [['Conv', ['x', 'w'], { group: 2 }]], /node node_0 \(Conv\): 2 groups of 4 channels/],
    [
      'softmax over channels',
      [
        ['Relu', ['x']],
        ['Softmax', ['y0'], { axis: 1 }],
      ],
      /node node_1 \(Softmax\): over axis 1 of 4/,
    ],
    ['quantized weights', [['DequantizeLinear', ['x', 's']]], /the operator DequantizeLinear is not known/],
    ['a step', [['Slice', ['x', 'a', 'b', 'c', 'd']]], /with a step; expected steps of 1/],
    ['a tensor that nothing gives', [['Relu', ['nowhere']]], /it reads nowhere, which nothing gives/],
  ] as [string, Step[], RegExp][])('is refused by node and operator: %s', (_, steps, message) => {
    const stored = { w: floats(4, 2, 3, 3), s: scalar(1), a: ints(0), b: ints(4), c: ints(3), d: ints(2) };
    expect(() => importOnnx(modelOf(['N', 4, 8, 8], stored, steps), 'model.onnx')).toThrow(message);
  });

  it('is refused if a size beside the batch is open, or it is no float32 model', () => {
    const steps: Step[] = [['Relu', ['x']]];
    expect(() => importOnnx(modelOf(['N', 3, 'H', 8], {}, steps), 'm')).toThrow(/input x: .* received \[N, 3, H, 8\]/);
    const half = modelOf(['N', 3], {}, steps);
    const inputs = [{ name: 'x', dtype: 'float16' as const, dims: ['N', 3] }];
    expect(() => importOnnx({ ...half, graph: { ...half.graph, inputs } }, 'm')).toThrow(/received float16/);
  });

  it('lists what it knows', () => {
    expect(importedOps).toEqual([...importedOps].sort());
    expect(importedOps).toContain('Conv');
  });
});
