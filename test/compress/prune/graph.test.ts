import { tensor } from '../../../src/formats/onnx/model.ts';
import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { dependencies } from '../../../src/compress/prune/groups.ts';
import { pruneChannels } from '../../../src/compress/prune/prune.ts';
import { onnxNetwork } from '../../../src/networks/onnx/onnx.ts';
import type { ModelNetwork } from '../../../src/networks/network.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { cutByChance, differenceOf } from '../../support/cut.ts';
import { numbers } from '../../support/graphs.ts';
import { floats, ints, modelOf, positive } from '../../support/onnx-steps.ts';
import type { Step } from '../../support/onnx-steps.ts';

beforeAll(() => useLazyBackend(evaluator));

const CLASSES = 3;
const SAMPLE = [6, 6, 2];

interface Case {
  readonly steps: readonly Step[];
  readonly stored: Readonly<Record<string, OnnxTensor>>;
  /** What depends on what, e.g. `node_0+node_4: 8`. */
  readonly groups: readonly string[];
}

const SAME = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const norm = (channels: number, name: string): Record<string, OnnxTensor> => ({
  ...{ [`${name}.scale`]: positive(channels), [`${name}.bias`]: floats(channels) },
  ...{ [`${name}.mean`]: floats(channels), [`${name}.var`]: positive(channels) },
});
const normed = (x: string, name: string): Step => [
  'BatchNormalization',
  [x, `${name}.scale`, `${name}.bias`, `${name}.mean`, `${name}.var`],
];
/** From pictures with so many channels to classes. */
const head = (x: string, at: number, channels: number): { steps: Step[]; stored: Record<string, OnnxTensor> } => ({
  steps: [
    ['GlobalAveragePool', [x]],
    ['Flatten', [`y${at}`], { axis: 1 }],
    ['Gemm', [`y${at + 1}`, 'fc.weight', 'fc.bias'], { transB: 1 }],
  ],
  stored: { 'fc.weight': floats(CLASSES, channels), 'fc.bias': floats(CLASSES) },
});
const withHead = (steps: Step[], stored: Record<string, OnnxTensor>, channels: number, groups: string[]): Case => {
  const end = head(`y${steps.length - 1}`, steps.length, channels);
  return { steps: [...steps, ...end.steps], stored: { ...stored, ...end.stored }, groups };
};

const CASES: Readonly<Record<string, Case>> = {
  'a residual add': withHead(
    [
      ['Conv', ['x', 'a'], SAME],
      normed('y0', 'n'),
      ['Relu', ['y1']],
      ['Conv', ['y2', 'b', 'b.bias'], SAME],
      ['Relu', ['y3']],
      ['Conv', ['y4', 'c'], SAME],
      normed('y5', 'm'),
      ['Add', ['y6', 'y2']],
    ],
    {
      ...{ a: floats(8, 2, 3, 3), b: floats(6, 8, 3, 3), 'b.bias': floats(6), c: floats(8, 6, 3, 3) },
      ...{ ...norm(8, 'n'), ...norm(8, 'm') },
    },
    8,
    ['node_0+node_5: 8', 'node_3: 6'],
  ),
  'a depthwise convolution with squeeze and excitation': withHead(
    [
      ['Conv', ['x', 'a'], SAME],
      ['Conv', ['y0', 'd', 'd.bias'], { ...SAME, group: 8, strides: [2, 2] }],
      ['HardSwish', ['y1']],
      ['GlobalAveragePool', ['y2']],
      ['Conv', ['y3', 's', 's.bias'], { kernel_shape: [1, 1] }],
      ['Relu', ['y4']],
      ['Conv', ['y5', 'e', 'e.bias'], { kernel_shape: [1, 1] }],
      ['HardSigmoid', ['y6']],
      ['Mul', ['y2', 'y7']],
      ['Conv', ['y8', 'p'], { kernel_shape: [1, 1] }],
    ],
    {
      ...{ a: floats(8, 2, 3, 3), d: floats(8, 1, 3, 3), 'd.bias': floats(8), s: floats(4, 8, 1, 1) },
      ...{ 's.bias': floats(4), e: floats(8, 4, 1, 1), 'e.bias': floats(8), p: floats(10, 8, 1, 1) },
    },
    10,
    ['node_0+node_6: 8', 'node_4: 4', 'node_9: 10'],
  ),
  // Halves are concatenated, shuffled, split again and read by halves: a channel takes its partner of the other half along.
  'a channel shuffle behind a concatenation': withHead(
    [
      ['Conv', ['x', 'a'], SAME],
      ['Conv', ['x', 'b'], SAME],
      ['Concat', ['y0', 'y1'], { axis: 1 }],
      ['Reshape', ['y2', 'apart']],
      ['Transpose', ['y3'], { perm: [0, 2, 1, 3, 4] }],
      ['Reshape', ['y4', 'together']],
      ['Slice', ['y5', 'zero', 'six', 'one']],
      ['Slice', ['y5', 'six', 'twelve', 'one']],
      ['Conv', ['y7', 'c'], SAME],
      ['Concat', ['y6', 'y8'], { axis: 1 }],
    ],
    {
      ...{ a: floats(6, 2, 3, 3), b: floats(6, 2, 3, 3), c: floats(5, 6, 3, 3) },
      ...{ apart: ints(-1, 2, 6, 6, 6), together: ints(-1, 12, 6, 6) },
      ...{ zero: ints(0), six: ints(6), twelve: ints(12), one: ints(1) },
    },
    11,
    ['node_0+node_1: 3', 'node_0+node_1: 3', 'node_8: 5'],
  ),
  // Every group keeps as many channels as the others.
  'a grouped convolution': withHead(
    [
      ['Conv', ['x', 'a'], SAME],
      ['Conv', ['y0', 'g', 'g.bias'], { ...SAME, group: 2 }],
      ['Relu', ['y1']],
    ],
    { a: floats(8, 2, 3, 3), g: floats(12, 4, 3, 3), 'g.bias': floats(12) },
    12,
    ['node_0: 4', 'node_1: 6'],
  ),
  'a flatten before a dense layer': {
    steps: [
      ['Conv', ['x', 'a'], SAME],
      ['Relu', ['y0']],
      ['Flatten', ['y1'], { axis: 1 }],
      ['Gemm', ['y2', 'w', 'w.bias'], { transB: 1 }],
      ['Relu', ['y3']],
      ['MatMul', ['y4', 'v']],
    ],
    stored: { a: floats(4, 2, 3, 3), w: floats(10, 144), 'w.bias': floats(10), v: floats(10, CLASSES) },
    groups: ['node_0: 4', 'node_3: 10'],
  },
  // Whole heads go; the tokens between the blocks are normalized, so their numbers stay.
  'an attention of four heads': {
    steps: [
      ['Reshape', ['x', 'tokens']],
      ['MatMul', ['y0', 'in']],
      ['LayerNormalization', ['y1', 'ln.scale', 'ln.bias']],
      ['MatMul', ['y2', 'qkv']],
      ['Reshape', ['y3', 'heads']],
      ['Transpose', ['y4'], { perm: [2, 0, 3, 1, 4] }],
      ['Split', ['y5', 'ones'], { axis: 0 }, ['q', 'k', 'v']],
      ['Squeeze', ['q', 'first']],
      ['Squeeze', ['k', 'first']],
      ['Squeeze', ['v', 'first']],
      ['Transpose', ['y8'], { perm: [0, 1, 3, 2] }],
      ['MatMul', ['y7', 'y10']],
      ['Softmax', ['y11'], { axis: -1 }],
      ['MatMul', ['y12', 'y9']],
      ['Transpose', ['y13'], { perm: [0, 2, 1, 3] }],
      ['Reshape', ['y14', 'whole']],
      ['MatMul', ['y15', 'out']],
      ['Add', ['y1', 'y16']],
      ['MatMul', ['y17', 'up']],
      ['Relu', ['y18']],
      ['MatMul', ['y19', 'down']],
      ['ReduceMean', ['y20'], { axes: [1], keepdims: 0 }],
    ],
    stored: {
      ...{ tokens: ints(-1, 6, 12), heads: ints(-1, 6, 3, 4, 5), whole: ints(-1, 6, 20) },
      ...{ first: ints(0), ones: ints(1, 1, 1) },
      ...{ in: floats(12, 20), 'ln.scale': positive(20), 'ln.bias': floats(20), qkv: floats(20, 60) },
      ...{ out: floats(20, 20), up: floats(20, 14), down: floats(14, CLASSES) },
    },
    groups: ['node_3: 4', 'node_18: 14'],
  },
};

/** What reads the columns that a product made as the width of pictures. */
const WINDOWS: Readonly<Record<string, readonly [step: Step, stored?: Readonly<Record<string, OnnxTensor>>]>> = {
  Conv2D: [['Conv', ['y1', 'b'], SAME], { b: floats(8, 8, 3, 3) }],
  DepthwiseConv2dNative: [['Conv', ['y1', 'b'], { ...SAME, group: 8 }], { b: floats(8, 1, 3, 3) }],
  Conv2DBackpropInput: [['ConvTranspose', ['y1', 'b'], { strides: [2, 2] }], { b: floats(8, 8, 2, 2) }],
  MaxPool: [['MaxPool', ['y1'], { kernel_shape: [2, 2] }]],
  AvgPool: [['AveragePool', ['y1'], { kernel_shape: [2, 2], strides: [2, 2] }]],
};

it.each(Object.entries(WINDOWS))(
  'places along a width stay that %s reads, whatever made them',
  async (op, [step, added]) => {
    const stored = { a: floats(8, 2, 3, 3), columns: floats(6, 6), ...added };
    const network = networkOf(withHead([['Conv', ['x', 'a'], SAME], ['MatMul', ['y0', 'columns']], step], stored, 8, [])); // prettier-ignore
    const { groups, skipped } = dependencies(network);
    expect(groups.flatMap(({ layers }) => layers)).not.toContain('node_1');
    expect(skipped).toContainEqual({ what: 'node_1', why: `node_2 needs its channels as they are (${op})` });
    const { without, zeroed } = await cutByChance(network, { data: numbers(3 * 72, 'x'), shape: [3, ...SAMPLE] });
    expect(differenceOf(without, zeroed)).toBeLessThan(1e-5);
  },
);

const sum = (x: string): Step => ['ReduceSum', [x, 'one'], { keepdims: 0 }];
const number = tensor('', 'float32', [], Float32Array.of(0.5));
/** Steps from the channels of `y0` to a sum over them, and whether they make something else of zero. */
const FILLED: Readonly<Record<string, readonly [isFilled: boolean, op: string, ...steps: Step[]]>> = {
  'a relu': [false, 'Sum', ['Relu', ['y0']], sum('y1')],
  'a sigmoid': [true, 'Sum', ['Sigmoid', ['y0']], sum('y1')],
  'a sum with a number': [true, 'Sum', ['Add', ['y0', 'number']], sum('y1')],
  'a sum with a vector': [false, 'Sum', ['Add', ['y0', 'vector']], sum('y1')],
  'a quotient of a number': [true, 'Sum', ['Exp', ['y0']], ['Div', ['number', 'y1']], sum('y2')],
  'a sigmoid that another layer is added to': [true, 'Sum', ['Conv', ['x', 'b'], SAME], ['Sigmoid', ['y1']], ['Add', ['y0', 'y2']], sum('y3')], // prettier-ignore
  'a pad of 0.5': [true, 'Sum', ['Pad', ['y0', 'pads', 'number']], sum('y1')],
  'a clip from 0.5': [true, 'Sum', ['Clip', ['y0', 'number']], sum('y1')],
  'a clip to 0.5': [false, 'Sum', ['Clip', ['y0', '', 'number']], sum('y1')],
  'products of their own': [false, 'BatchMatMul', ['Reshape', ['y0', 'flat']], ['Transpose', ['y1'], { perm: [0, 2, 1] }], ['MatMul', ['y2', 'y1']]], // prettier-ignore
  'products of exponents': [true, 'BatchMatMul', ['Reshape', ['y0', 'flat']], ['Exp', ['y1']], ['Transpose', ['y2'], { perm: [0, 2, 1] }], ['MatMul', ['y3', 'y2']]], // prettier-ignore
};

const sizeBehind = (op: string, steps: readonly Step[]): number =>
  op === 'Sum' ? 6 * (steps.some(([one]) => one === 'Pad') ? 7 : 6) : 36 * 36;

it.each(Object.entries(FILLED))(
  'channels stay where a sum over them would miss those that are not zero: %s',
  async (_, [isFilled, op, ...more]) => {
    const stored = {
      ...{
        a: floats(8, 2, 3, 3),
        b: floats(8, 2, 3, 3),
        one: ints(1),
        number,
        vector: floats(8, 1, 1),
        flat: ints(-1, 8, 36),
      },
      ...{ pads: ints(0, 0, 1, 0, 0, 0, 0, 0), v: floats(sizeBehind(op, more), CLASSES) },
    };
    const steps: Step[] = [['Conv', ['x', 'a'], SAME], ...more];
    steps.push(['Flatten', [`y${steps.length - 1}`], { axis: 1 }], ['MatMul', [`y${steps.length}`, 'v']]);
    const network = networkOf({ steps, stored });
    const { groups, skipped } = dependencies(network);
    expect(groups.map(({ layers }) => layers)).toEqual(isFilled ? [] : [['node_0']]);
    const why = `node_${steps.length - 3} needs its channels as they are (${op})`;
    if (isFilled) expect(skipped.map((one) => one.why)).toContain(why);
    const { without, zeroed } = await cutByChance(network, { data: numbers(3 * 72, 'x'), shape: [3, ...SAMPLE] });
    expect(differenceOf(without, zeroed)).toBeLessThan(1e-5);
  },
);

it('columns stay that a batch norm makes something else of before they are summed up', async () => {
  const steps: Step[] = [['Conv', ['x', 'a'], SAME], ['MatMul', ['y0', 'columns']], normed('y1', 'n'), ['ReduceSum', ['y2', 'three'], { keepdims: 0 }], ['Flatten', ['y3'], { axis: 1 }], ['MatMul', ['y4', 'v']]]; // prettier-ignore
  const stored = { a: floats(8, 2, 3, 3), columns: floats(6, 6), three: ints(3), ...norm(8, 'n'), v: floats(48, CLASSES) }; // prettier-ignore
  const network = networkOf({ steps, stored });
  const why = 'node_3 needs its channels as they are (Sum)';
  expect(dependencies(network).skipped).toContainEqual({ what: 'node_1', why });
  const { without, zeroed } = await cutByChance(network, { data: numbers(3 * 72, 'x'), shape: [3, ...SAMPLE] });
  expect(differenceOf(without, zeroed)).toBeLessThan(1e-5);
});

/** What adds up channels that are not 0 without their weights, from the pixels of a picture on. */
const SUMS: Readonly<Record<string, readonly [steps: readonly Step[], why: string]>> = {
  'a sum of sigmoids': [
    [
      ['Sigmoid', ['y1']],
      ['ReduceSum', ['y2', 'last'], { keepdims: 0 }],
    ],
    'node_3 needs its channels as they are (Sum)',
  ],
  'a sum behind a batch norm of other channels': [
    [normed('y1', 'n'), ['ReduceSum', ['y2', 'last'], { keepdims: 0 }]],
    'node_3 needs its channels as they are (Sum)',
  ],
  'a product of two exponentials': [
    [
      ['Exp', ['y1']],
      ['Transpose', ['y2'], { perm: [0, 2, 1] }],
      ['MatMul', ['y2', 'y3']],
      ['ReduceMean', ['y4'], { axes: [2], keepdims: 0 }],
    ],
    'node_4 needs its channels as they are (BatchMatMul)',
  ],
};

it.each(Object.entries(SUMS))('channels stay that %s would miss', (_, [added, why]) => {
  const steps: Step[] = [
    ['Reshape', ['x', 'pixels']],
    ['MatMul', ['y0', 'a']],
    ...added,
    ['Gemm', [`y${added.length + 1}`, 'fc.weight'], { transB: 1 }],
  ];
  const stored = { pixels: ints(-1, 9, 8), a: floats(8, 6), last: ints(2), 'fc.weight': floats(CLASSES, 9), ...norm(9, 'n') }; // prettier-ignore
  const network = networkOf({ steps, stored });
  expect(dependencies(network).skipped).toContainEqual({ what: 'node_1', why });
  expect(dependencies(network).groups.flatMap(({ layers }) => layers)).not.toContain('node_1');
});

it('channels go that a sum adds up as they are', async () => {
  const steps: Step[] = [
    ['Reshape', ['x', 'pixels']],
    ['MatMul', ['y0', 'a']],
    ['Mul', ['y1', 'y1']],
    ['ReduceSum', ['y2', 'last'], { keepdims: 0 }],
    ['Gemm', ['y3', 'fc.weight'], { transB: 1 }],
  ];
  const stored = { pixels: ints(-1, 9, 8), a: floats(8, 6), last: ints(2), 'fc.weight': floats(CLASSES, 9) };
  const network = networkOf({ steps, stored });
  expect(dependencies(network).groups.map(({ name }) => name)).toEqual(['node_1']);
  const { without, zeroed } = await cutByChance(network, { data: numbers(3 * 72, 'x'), shape: [3, ...SAMPLE] });
  expect(differenceOf(without, zeroed)).toBeLessThan(1e-5);
});

function networkOf({ steps, stored }: Pick<Case, 'steps' | 'stored'>, freeze: readonly string[] = []): ModelNetwork {
  const options = { inputShape: SAMPLE, classes: CLASSES, seed: 0, head: 'keep', freeze } as const;
  return onnxNetwork(modelOf(['n', SAMPLE[2]!, SAMPLE[0]!, SAMPLE[1]!], stored, steps), 'm.onnx', options);
}

describe.each(Object.keys(CASES))('%s', (name) => {
  const given = CASES[name]!;

  it('ties the channels together that need each other', () => {
    const { groups } = dependencies(networkOf(given));
    expect(groups.map(({ layers, channels }) => `${layers.join('+')}: ${channels}`).sort()).toEqual(
      [...given.groups].sort(),
    );
  });

  it('answers without channels as with these at zero, in ONNX Runtime', async () => {
    const data = numbers(3 * 72, 'x');
    const { before, after, whole, zeroed, without } = await cutByChance(networkOf(given), {
      data,
      shape: [3, ...SAMPLE],
    });
    expect(differenceOf(without, zeroed)).toBeLessThan(1e-5);
    expect(differenceOf(whole, zeroed)).toBeGreaterThan(1e-2);
    const size = (of: typeof before): number => [...of.values()].reduce((sum, one) => sum + one.data.length, 0);
    expect(size(after)).toBeLessThan(0.8 * size(before));
  });
});

const WEIGHTS = (network: ModelNetwork) =>
  new Map(
    Object.entries(network.state).map(([name, one]) => {
      return [name, { type: { dtype: 'float32', shape: one.shape } as const, data: one.dataSync().slice() }] as const;
    }),
  );

it('says which channels stay, why, and by the name of which node', async () => {
  const given = withHead(
    [
      ['Conv', ['x', 'a'], SAME],
      ['LRN', ['y0'], { size: 3 }],
      ['Conv', ['y1', 'b'], SAME],
    ],
    { a: floats(8, 2, 3, 3), b: floats(8, 8, 3, 3) },
    8,
    [],
  );
  const network = networkOf(given);
  const { skipped } = await pruneChannels(network, WEIGHTS(network), { amount: 0.5 });
  expect(skipped).toEqual(
    expect.arrayContaining([
      { what: 'node_0', why: 'node_1 reads its channels in another way (LRN)' },
      { what: 'node_5', why: 'its channels are the outputs of the model' },
      { what: 'node_2', why: '8 channels cannot become fewer and stay a multiple of 8' },
    ]),
  );
});

it('keeps the channels of frozen weights', () => {
  const { groups, skipped } = dependencies(networkOf(CASES['a residual add']!, ['b']));
  expect(groups).toEqual([]);
  expect(skipped.map(({ why }) => why)).toContain('b is frozen');
});
