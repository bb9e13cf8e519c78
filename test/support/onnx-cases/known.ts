import { tensor } from '../../../src/formats/onnx/model.ts';
import type { OnnxAttr, OnnxNode, OnnxTensor } from '../../../src/formats/onnx/model.ts';
import type { Case, Step } from '../onnx-steps.ts';
import { floats, integer, ints, list, scalar } from '../onnx-steps.ts';

export const IMAGE = ['N', 4, 6, 8] as const;
const FED = [2, 4, 6, 8];
export const stored: Record<string, OnnxTensor> = {
  ...{ zero: integer(0), one: integer(1), two: integer(2), three: integer(3), minus: ints(-1), first: ints(0) },
  ...{
    places: ints(1),
    last: ints(3),
    none: integer(-1),
    ones: ints(1, 1, 1, 1),
    groups: ints(2),
    wide: ints(2, 4, 6, 8),
  },
  ...{ low: scalar(-100), nothing: scalar(0), half: scalar(0.5), row: floats(1, 1, 1, 8), scale: list(1, 1, 2, 2) },
  yes: tensor('', 'bool', [], Uint8Array.of(1)),
  ...{ most: ints(2 ** 62), order: ints(1, 0, 2, 3), axes: ints(2, 3), steps: ints(2, -3) },
  ...{
    starts: ints(1, -1),
    ...{ back: ints(-1), beyond: ints(-99), width: ints(3), sevens: ints(-7, 7, -6), threes: ints(3), ten: list(10) },
    ends: ints(6, -9),
    six: integer(6),
    mask: tensor('', 'bool', [8], Uint8Array.of(1, 0, 1, 1, 0, 0, 1, 0)),
  },
};

const graph = (
  inputs: readonly string[],
  outputs: readonly string[],
  initializers: Readonly<Record<string, OnnxTensor>>,
  ...nodes: (readonly [op: string, inputs: readonly string[], output: string, attrs?: OnnxNode['attrs']])[]
): OnnxAttr => ({
  type: 'graph',
  value: {
    name: 'inside',
    nodes: nodes.map(([op, from, to, attrs = new Map()]) => ({
      op,
      domain: '',
      name: to,
      inputs: from,
      outputs: [to],
      attrs,
    })),
    initializers: Object.entries(initializers).map(([name, t]) => ({ ...t, name })),
    inputs: inputs.map((name, i) =>
      i === 0
        ? { name, dtype: 'int64', dims: [] }
        : i === 1
          ? { name, dtype: 'bool', dims: [] }
          : { name, dtype: 'float32' },
    ),
    outputs: outputs.map((name) => ({
      name,
      dtype: /^(goes|again)/.test(name) ? 'bool' : 'float32',
      ...(/^(goes|again)/.test(name) ? { dims: [] } : {}),
    })),
    valueInfos: [],
  },
});

/** Twice the values, or what a graph inside of it says: both call what they compute the same. */
const doubled = graph([], ['inner'], { two: scalar(2) }, ['Mul', ['x', 'two'], 'inner']);
const shifted = graph([], ['inner'], {}, ['Add', ['x', 'row'], 'inner']);
/** Adds its number to a sum, and gives the sum of each step. */
const body = graph(
  ['step', 'goes', 'sum'],
  ['again', 'next', 'seen'],
  {},
  ['Cast', ['step'], 'number', new Map([['to', { type: 'int', value: 1 }]])],
  ['Add', ['sum', 'number'], 'next'],
  ['Identity', ['next'], 'seen'],
  ['Less', ['step', 'three'], 'again'],
);

export const knownCases: Record<string, Case> = {
  'one of two graphs, by a size': [
    IMAGE,
    FED,
    [
      ['Shape', ['x']],
      ['Gather', ['y0', 'three']],
      ['Equal', ['y1', 'two']],
      ['If', ['y2'], { then_branch: doubled, else_branch: shifted }],
      ['Equal', ['y1', 'y1']],
      ['If', ['y4'], { then_branch: doubled, else_branch: shifted }],
      ['Sub', ['y3', 'y5']],
    ],
  ],
  'steps that are counted, each of which gives something': [
    FED,
    FED,
    [
      ['Loop', ['three', '', 'x'], { body }, ['end', 'all']],
      ['ReduceSum', ['all', 'first']],
      ['Sub', ['y1', 'end']],
    ],
  ],
  'steps for as long as a condition holds': [
    FED,
    FED,
    [
      ['Loop', ['', 'yes', 'x'], { body }, ['end', 'all']],
      ['ReduceSum', ['all', 'first']],
      ['Sub', ['y1', 'end']],
    ],
  ],
  "ShuffleNet's shuffle, the sizes divided": [
    IMAGE,
    FED,
    [
      ['Shape', ['x']],
      ['Gather', ['y0', 'one']],
      ['Div', ['y1', 'two']],
      ['Unsqueeze', ['y2', 'first']],
      ['Gather', ['y0', 'zero']],
      ['Unsqueeze', ['y4', 'first']],
      ['Slice', ['y0', 'groups', 'most']],
      ['Concat', ['y5', 'groups', 'y3', 'y6'], { axis: 0 }],
      ['Reshape', ['x', 'y7']],
      ['Transpose', ['y8'], { perm: [0, 2, 1, 3, 4] }],
      ['Reshape', ['y9', 'y0']],
    ],
  ],
  "Expand as PyTorch's exporter writes it": [
    FED,
    FED,
    [
      [
        'ConstantOfShape',
        ['first4'],
        { value: { type: 'tensor', value: tensor('', 'int64', [1], BigInt64Array.of(1n)) } },
      ],
      ['Mul', ['y0', 'none']],
      ['Equal', ['wide', 'y1']],
      ['Where', ['y2', 'y0', 'wide']],
      ['Expand', ['row', 'y3']],
      ['Add', ['x', 'y4']],
    ],
  ],
  'an Expand to the shape of the input': [
    IMAGE,
    FED,
    [
      ['Shape', ['x']],
      ['Expand', ['row', 'y0']],
      ['Mul', ['x', 'y1']],
    ],
  ],
  'zeros for the batch': [
    IMAGE,
    FED,
    [
      ['Shape', ['x']],
      ['ConstantOfShape', ['y0']],
      ['Add', ['x', 'y1']],
    ],
  ],
  'a causal mask': [
    ['N', 6, 6],
    [3, 6, 6],
    [
      ['Range', ['zero', 'six', 'one']],
      ['Unsqueeze', ['y0', 'first']],
      ['Unsqueeze', ['y0', 'places']],
      ['LessOrEqual', ['y1', 'y2']],
      ['Where', ['y3', 'x', 'low']],
    ],
  ],
  'sizes of a resize, computed in floats': [
    IMAGE,
    FED,
    [
      ['Shape', ['x']],
      ['Slice', ['y0', 'groups', 'most']],
      ['Cast', ['y1'], { to: 1 }],
      ['Mul', ['y2', 'half']],
      ['Floor', ['y3']],
      ['Cast', ['y4'], { to: 7 }],
      ['Slice', ['y0', 'first', 'groups']],
      ['Concat', ['y6', 'y5'], { axis: 0 }],
      ['Resize', ['x', '', '', 'y7'], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' }],
    ],
  ],
  'an index that is computed': [
    IMAGE,
    FED,
    [
      ['Range', ['six', 'none', 'none2']],
      ['Gather', ['x', 'y0'], { axis: 3 }],
    ],
  ],
  'all steps backwards, through the first': [IMAGE, FED, [['Slice', ['x', 'back', 'beyond', 'width', 'back']]]],
  'the rest of a division of stored numbers below zero': [
    IMAGE,
    FED,
    [
      ['Mod', ['sevens', 'threes']],
      ['Gather', ['x', 'y0'], { axis: 3 }],
    ],
  ],
  'a division of whole numbers, some of them below zero': [
    IMAGE,
    FED,
    [
      ['Mul', ['x', 'ten']],
      ['Cast', ['y0'], { to: 7 }],
      ['Div', ['y1', 'threes']],
      ['Cast', ['y2'], { to: 1 }],
    ],
  ],
  'steps, one of them backwards': [IMAGE, FED, [['Slice', ['x', 'starts', 'ends', 'axes', 'steps']]]],
  'a mask that is stored': [IMAGE, FED, [['Where', ['mask', 'x', 'nothing']]]],
  'a comparison of what is fed': [
    IMAGE,
    FED,
    [
      ['Greater', ['x', 'nothing']],
      ['Not', ['y0']],
      ['Where', ['y1', 'x', 'half']],
    ],
  ],
  'what lies above a diagonal': [['N', 5, 6], [2, 5, 6], [['Trilu', ['x', 'one'], { upper: 1 }]]],
  'the place of the largest': [
    IMAGE,
    FED,
    [
      ['ArgMax', ['x'], { axis: 1, keepdims: 0 }],
      ['Cast', ['y0'], { to: 1 }],
    ],
  ],
  "timm's padding, whose sizes PyTorch's older exporter has folded to floats": [
    IMAGE,
    FED,
    [
      ['Ceil', ['half']],
      ['Sub', ['y0', 'half']],
      ['Clip', ['y1', 'nothing']],
      ['Div', ['y2', 'half']],
      ['Sub', ['half', 'y0']],
      ['Clip', ['y4', 'nothing']],
      ...['y3', 'y5'].flatMap((name, i): Step[] => [
        ['Cast', [name], { to: 7 }],
        ['Unsqueeze', [`y${6 + 2 * i}`, 'first']],
      ]),
      ['Concat', ['first', 'first', 'y7', 'y9', 'first', 'first', 'y9', 'y7'], { axis: 0 }],
      ['Pad', ['x', 'y10']],
    ],
  ],
  'a size that is clipped by attributes': [
    IMAGE,
    FED,
    [
      ['Shape', ['x']],
      ['Gather', ['y0', 'two']],
      ['Cast', ['y1'], { to: 1 }],
      ['Clip', ['y2'], { min: 0.5, max: 6.5 }],
      ['Cast', ['y3'], { to: 7 }],
      ['Unsqueeze', ['y4'], { axes: [0] }],
      ['Concat', ['minus', 'y5'], { axis: 0 }],
      ['Reshape', ['x', 'y6']],
    ],
    9,
  ],
  'a stored list that is cast, split and tiled': [
    ['N', 6],
    [2, 6],
    [
      ['Split', ['wide'], { axis: 0 }, ['p', 'q']],
      ['Tile', ['q', 'three1']],
      ['Cast', ['y1'], { to: 1 }],
      ['Mul', ['x', 'y2']],
    ],
  ],
};
Object.assign(stored, { first4: ints(4), none2: integer(-2), three1: ints(3) });
