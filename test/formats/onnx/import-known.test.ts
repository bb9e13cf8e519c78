import { importOnnx } from '../../../src/formats/onnx/import.ts';
import type { OnnxAttr } from '../../../src/formats/onnx/model.ts';
import { IMAGE, knownCases, stored } from '../../support/onnx-cases/known.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, integer, ints, modelOf } from '../../support/onnx-steps.ts';

describe('values that are known when the file is read', () => {
  it.each(Object.entries(knownCases))('give what ONNX Runtime computes: %s', async (_, [dims, fed, steps, opset]) => {
    await expectSame(modelOf(dims, stored, steps, opset), fed);
  });

  describe('that count the samples, as torch.onnx writes as_strided', () => {
    const by = ints(2, 0, 1);
    const turned = { ...stored, by: { ...by, dims: [1, 3] } };
    const places = (...more: readonly string[]): Step[] => [
      ['GlobalAveragePool', ['x']],
      ['Reshape', ['y0', 'minus']],
      ['Shape', ['x']],
      ['Gather', ['y2', 'zero']],
      ['Range', ['zero', 'y3', 'one']],
      ['Mul', ['y4', 'six4']],
      ['Unsqueeze', ['y5', 'places']],
      ['Add', ['y6', ...more]],
      ['Gather', ['y1', 'y7']],
    ];
    const model = (offsets: string, four: number) =>
      modelOf(IMAGE, { ...turned, six4: integer(four), all: { ...ints(0, 1, 2, 3), dims: [1, 4] } }, places(offsets));

    it.each(['all', 'by'])('give each sample its own numbers, in whatever order: %s', async (offsets) => {
      await expectSame(model(offsets, 4), [3, 4, 6, 8]);
    });

    it('are nothing but a reshape where they take all of them in their order', () => {
      expect(importOnnx(model('all', 4), 'm').nodes.map(({ op }) => op)).not.toContain('GatherV2');
    });

    it.each([
      ['that take numbers of another sample', 'all', 3, /\(Gather\): it takes numbers of one sample for another/],
      ['that reach beyond a sample', 'beside', 4, /\(Gather\): it takes numbers of one sample for another/],
    ])('are refused %s', (_, offsets, four, message) => {
      const { graph, ...rest } = model(offsets, four);
      const beside = { ...ints(0, 4), name: 'beside', dims: [1, 2] };
      const whole = { ...rest, graph: { ...graph, initializers: [...graph.initializers, beside] } };
      expect(() => importOnnx(whole, 'm')).toThrow(message);
    });

    it.each<[string, Step[]]>([
      ['operators that do not keep their steps equal', [['Mul', ['y4', 'y4']]]],
      ['operators that are not read of them', [['Cast', ['y4'], { to: 1 }]]],
      ['an axis in front of the samples', [['Unsqueeze', ['y4', 'first']]]],
    ])('are refused by the node: %s', (_, steps) => {
      const all = [...places('all').slice(0, 5), ...steps];
      expect(() => importOnnx(modelOf(IMAGE, stored, all), 'm')).toThrow(
        /node_5 \(\w+\): (its input 1|its input y4 counts|it moves)/,
      );
    });
  });

  const inside = (op: string): OnnxAttr => ({
    type: 'graph',
    value: {
      ...{ name: 'g', initializers: [], inputs: [], valueInfos: [] },
      outputs: [{ name: 'z', dtype: 'float32' }],
      nodes: [{ op, domain: '', name: 'inside', inputs: ['x'], outputs: ['z'], attrs: new Map() }],
    },
  });
  const [none, unknown] = [inside('Relu'), inside('Unheard')];
  const size: Step[] = [
    ['Shape', ['x']],
    ['Gather', ['y0', 'zero']],
  ];
  it.each([
    [6, 'Neg'],
    [5, 'Relu'],
  ])('choose a graph by a shape: %d rows', async (rows, op) => {
    const chosen = modelOf(['N', 4, 6, 8], { ...stored, rows: integer(rows), axis: integer(2) }, [
      ['Shape', ['x']],
      ['Gather', ['y0', 'axis']],
      ['Equal', ['y1', 'rows']],
      ['If', ['y2'], { then_branch: inside('Neg'), else_branch: inside('Relu') }],
    ]);
    expect(importOnnx(chosen, 'm').nodes.map((node) => node.op)).toEqual([op]);
    await expectSame(chosen, [2, 4, 6, 8]);
  });

  it('turn sequences of all their steps around, also where their lengths are repeated for each sample', async () => {
    const steps: Step[] = [
      ['Shape', ['x']],
      ['Gather', ['y0', 'first']],
      ['Gather', ['y0', 'one']],
      ['Expand', ['y2', 'y1']],
      ['ReverseSequence', ['x', 'y3'], { batch_axis: 0, time_axis: 1 }],
    ];
    await expectSame(modelOf(['N', 4, 6, 8], { ...stored, first: ints(0), one: ints(1) }, steps), [3, 4, 6, 8]);
  });

  it('are named in the remedy that wants a batch of one size', () => {
    const steps: Step[] = [...size, ['Div', ['y1', 'two']]];
    expect(() => importOnnx(modelOf(['N', 4, 6, 8], stored, steps), 'm.onnx')).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining('with --shape x=1,4,6,8, or export') as string,
      }) as Error,
    );
  });

  it('leave nothing of themselves in the graph', () => {
    const [dims, , steps] = knownCases["ShuffleNet's shuffle, the sizes divided"]!;
    expect(importOnnx(modelOf(dims, stored, steps), 'm').nodes.map(({ op }) => op)).toEqual([
      'Reshape',
      'Transpose',
      'Reshape',
    ]);
  });

  it.each([
    [
      'half a batch',
      [...size, ['Div', ['y1', 'two']]],
      /\(Div\): of batch and 2, what it gives depends on the batch size/,
    ],
    [
      'a batch that may be two',
      [...size, ['Equal', ['y1', 'two']]],
      /\(Equal\): of batch and 2, what it gives depends on/,
    ],
    [
      'a batch that may be more than one',
      [...size, ['Greater', ['y1', 'one']]],
      /\(Greater\): of batch and 1, what it gives depends on/,
    ],
    [
      'a range over the batch that begins elsewhere',
      [...size, ['Range', ['one', 'y1', 'one']]],
      /\(Range\): its length depends on the batch/,
    ],
    ['a division by zero', [['Div', ['two', 'zero']]], /\(Div\): it divides by zero/],
    [
      'shapes that do not fit',
      [
        ['Expand', ['x', 'last']],
        ['Expand', ['y0', 'groups']],
      ],
      /\(Expand\): shapes .* do not broadcast/,
    ],
    ['lists that do not fit', [['Add', ['wide', 'starts']]], /\(Add\): shapes \[4\] and \[2\] do not broadcast/],
    [
      'sequences of other lengths',
      [['ReverseSequence', ['x', 'groups'], { batch_axis: 0, time_axis: 1 }]],
      /\(ReverseSequence\): its sequences have other lengths than 4, the number of steps/,
    ],
    ['a range without steps', [['Range', ['zero', 'six', 'zero']]], /\(Range\): with a step of 0/],
    ['a step of zero', [['Slice', ['x', 'first', 'last', 'places', 'first']]], /\(Slice\): with a step of 0/],
    ['a place outside', [['Gather', ['wide', 'six']]], /\(Gather\): it gathers \[6\] of 4/],
    ['places of what is computed', [['NonZero', ['x']]], /\(NonZero\): its inputs are computed/],
    [
      'a graph that is chosen by what is fed',
      [
        ['ReduceMax', ['x'], { keepdims: 0 }],
        ['Greater', ['y0', 'nothing']],
        ['If', ['y1'], { then_branch: none, else_branch: none }],
      ],
      /\(If\): the choice between its graphs depends on the input of the model/,
    ],
    [
      'an operator inside of a graph',
      [
        ['Equal', ['two', 'two']],
        ['If', ['y0'], { then_branch: unknown, else_branch: none }],
      ],
      /node inside \(Unheard\): it is not known here/,
    ],
    ['a cast to text', [['Cast', ['two'], { to: 8 }]], /\(Cast\): to string; expected to float32, int32/],
  ] as [string, Step[], RegExp][])('are refused by node and operator where they are not: %s', (_, steps, message) => {
    expect(() => importOnnx(modelOf(IMAGE, stored, steps), 'm.onnx')).toThrow(message);
  });

  it('of the batch are followed through sums and multiples', () => {
    const steps: Step[] = [
      ...size,
      ['Mul', ['y1', 'two']],
      ['Add', ['y2', 'y1']],
      ['Div', ['y3', 'three']],
      ['Max', ['y4', 'one']],
      ['Unsqueeze', ['y5', 'first']],
      ['Concat', ['y6', 'minus'], { axis: 0 }],
      ['Reshape', ['x', 'y7']],
    ];
    const { types, outputs } = importOnnx(modelOf(IMAGE, stored, steps), 'm');
    expect(types.get(outputs.get('y')!)!.shape).toEqual(['batch', 192]);
  });
});
