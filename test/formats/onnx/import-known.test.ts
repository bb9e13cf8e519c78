import { importOnnx } from '../../../src/formats/onnx/import.ts';
import type { OnnxAttr } from '../../../src/formats/onnx/model.ts';
import { IMAGE, knownCases, stored } from '../../support/onnx-cases/known.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, modelOf } from '../../support/onnx-steps.ts';

describe('values that are known when the file is read', () => {
  it.each(Object.entries(knownCases))('give what ONNX Runtime computes: %s', async (_, [dims, fed, steps, opset]) => {
    await expectSame(modelOf(dims, stored, steps, opset), fed);
  });

  it('leave nothing of themselves in the graph', () => {
    const [dims, , steps] = knownCases["ShuffleNet's shuffle, the sizes divided"]!;
    expect(importOnnx(modelOf(dims, stored, steps), 'm').nodes.map(({ op }) => op)).toEqual([
      'Reshape',
      'Transpose',
      'Reshape',
    ]);
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
      'a range over the batch',
      [...size, ['Range', ['zero', 'y1', 'one']]],
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
