import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Case } from '../onnx-steps.ts';
import { floats, integer, ints, list, scalar } from '../onnx-steps.ts';

const whole = (dims: readonly number[], ...values: number[]): OnnxTensor =>
  tensor('', 'int64', dims, BigInt64Array.from(values, BigInt));

/** From -1.3 to 1.3, some of them outside of the picture. */
const places = (...dims: number[]): OnnxTensor => {
  const count = dims.reduce((a, b) => a * b, 1);
  return tensor(
    '',
    'float32',
    dims,
    Float32Array.from({ length: count }, (_, i) => 2.6 * ((i * 0.618034) % 1) - 1.3),
  );
};

export const stored: Readonly<Record<string, OnnxTensor>> = {
  grid: places(2, 3, 4, 2),
  volume: places(2, 2, 3, 4, 3),
  asked: ints(2, 4, 3, 5),
  columns: whole([3, 4, 2], 0, 4, 1, 1, -1, 2, 3, 0, 2, 2, 4, 1, 0, -2, 1, 3, 4, 4, 0, 1, 2, 3, 1, 0),
  rows: whole([2, 5], 0, 1, 2, -1, 0, 3, 2, 0, 1, 1),
  tuples: whole([3, 2], 0, 1, 2, 0, 2, -1),
  repeated: whole([4, 1], 0, 2, 0, 2),
  each: whole([3, 2, 1], 0, 3, 1, 1, 2, 0),
  updates: floats(2, 5),
  two: floats(4, 5),
  levels: list(-0.5, 2),
  five: integer(5),
  half: scalar(0.5),
  small: ints(2, 7),
  largest: ints(2),
  picture: floats(2, 4, 3, 4),
  once: whole([2, 5], 0, 1, 2, -1, 0, 3, 2, 0, 1, 1),
  single: whole([2, 1], 3, 0),
  pair: floats(2, 5),
  first: floats(4, 1),
  scale5: floats(5),
};

const IMAGE = ['N', 4, 5, 6] as const;
const FED = [2, 4, 5, 6];
const MATRIX = [4, 5];

const sampled = (mode: string, padding: string, corners: number): Case => [
  FED,
  FED,
  [['GridSample', ['x', 'grid'], { mode, padding_mode: padding, align_corners: corners }]],
  20,
];

export const placeCases: Readonly<Record<string, Case>> = {
  'a grid, linear, zeros outside': sampled('linear', 'zeros', 0),
  'a grid, linear, mirrored at the centres of the outer pixels': sampled('linear', 'reflection', 1),
  'a grid, nearest, mirrored at the edges': sampled('nearest', 'reflection', 0),
  'a grid, nearest, zeros outside': sampled('nearest', 'zeros', 1),
  'a grid, cubic, the outer pixels repeated': sampled('cubic', 'border', 0),
  'a grid, cubic, zeros outside': sampled('cubic', 'zeros', 1),
  'a grid of operator set 16': [
    FED,
    FED,
    [['GridSample', ['x', 'grid'], { mode: 'bilinear', padding_mode: 'border', align_corners: 1 }]],
    16,
  ],
  'a grid over a volume': [
    [2, 2, 3, 4, 5],
    [2, 2, 3, 4, 5],
    [['GridSample', ['x', 'volume'], { mode: 'linear', align_corners: 1 }]],
    20,
  ],
  'a grid that is computed, as a spatial transformer has it': [
    [2, 2, 3],
    [2, 2, 3],
    [
      ['AffineGrid', ['x', 'asked'], { align_corners: 1 }],
      ['GridSample', ['picture', 'y0'], { mode: 'linear' }],
    ],
    20,
  ],
  'elements along the last axis': [[3, 4, 5], [3, 4, 5], [['GatherElements', ['x', 'columns'], { axis: 2 }]]],
  'elements along the first axis': [MATRIX, MATRIX, [['GatherElements', ['x', 'rows']]]],
  'elements at places that are computed': [
    ['N', 4, 5],
    [3, 4, 5],
    [
      ['ArgMax', ['x'], { axis: 2 }],
      ['GatherElements', ['x', 'y0'], { axis: 2 }],
    ],
  ],
  'slices at tuples': [[3, 2, 4], [3, 2, 4], [['GatherND', ['x', 'tuples']]]],
  'slices of each sample': [[3, 4, 5], [3, 4, 5], [['GatherND', ['x', 'each'], { batch_dims: 1 }]]],
  'elements put in': [MATRIX, MATRIX, [['ScatterElements', ['x', 'once', 'updates']]], 18],
  'elements added, some twice': [
    MATRIX,
    MATRIX,
    [['ScatterElements', ['x', 'rows', 'updates'], { reduction: 'add' }]],
    18,
  ],
  'slices put in': [[4, 5], MATRIX, [['ScatterND', ['x', 'single', 'pair']]], 18],
  'slices of which the largest stays': [
    MATRIX,
    MATRIX,
    [['ScatterND', ['x', 'repeated', 'two'], { reduction: 'max' }]],
    18,
  ],
  'slices multiplied, some twice': [
    MATRIX,
    MATRIX,
    [['ScatterND', ['x', 'repeated', 'two'], { reduction: 'mul' }]],
    18,
  ],
  'elements put in at places that are computed': [
    MATRIX,
    MATRIX,
    [
      ['ArgMax', ['x'], { axis: 1 }],
      ['ScatterElements', ['x', 'y0', 'first'], { axis: 1 }],
    ],
    18,
  ],
  'weights of the two experts that a gate chooses, of each sample': [
    ['N', 4, 5],
    [3, 4, 5],
    [
      ['TopK', ['x', 'largest'], {}, ['values', 'chosen']],
      ['Softmax', ['values']],
      ['Sub', ['x', 'x']],
      ['ScatterElements', ['y2', 'chosen', 'y1'], { axis: 2 }],
    ],
    18,
  ],
  'elements added to each sample along another axis, some twice': [
    ['N', 4, 5],
    [3, 4, 5],
    [
      ['ArgMax', ['x'], { axis: 1 }],
      ['ReduceMax', ['x'], { axes: [1] }],
      ['Concat', ['y0', 'y0'], { axis: 1 }],
      ['Concat', ['y1', 'y1'], { axis: 1 }],
      ['ScatterElements', ['x', 'y2', 'y3'], { axis: 1, reduction: 'add' }],
    ],
    16,
  ],
  'classes as rows of zeros and ones': [
    [4, 5],
    MATRIX,
    [
      ['ArgMax', ['x'], { axis: 1, keepdims: 0 }],
      ['OneHot', ['y0', 'five', 'levels'], { axis: 0 }],
    ],
  ],
  'a one at the largest': [['N', 4, 5], [3, 4, 5], [['Hardmax', ['x'], { axis: 1 }]]],
  'the last of equal places': [
    ['N', 4, 5],
    [3, 4, 5],
    [
      ['Floor', ['x']],
      ['ArgMax', ['y0'], { axis: 1, select_last_index: 1 }],
      ['Cast', ['y1'], { to: 1 }],
    ],
  ],
  'a picture cut and padded at both ends': [IMAGE, FED, [['CenterCropPad', ['x', 'small'], { axes: [2, 3] }]], 18],
  'p-norms of windows': [
    IMAGE,
    FED,
    [['LpPool', ['x'], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], p: 3 }]],
    18,
  ],
  'channels as blocks of pixels': [IMAGE, FED, [['DepthToSpace', ['x'], { blocksize: 2 }]]],
  'p-norms of everything': [IMAGE, FED, [['GlobalLpPool', ['x'], { p: 2 }]]],
  'what is small taken away': [IMAGE, FED, [['Shrink', ['x'], { lambd: 0.5, bias: 0.25 }]]],
  'what is large taken away': [IMAGE, FED, [['Shrink', ['x'], { lambd: -0.5, bias: 0.25 }]]],
  'the rest of a division': [IMAGE, FED, [['Mod', ['x', 'half'], { fmod: 1 }]]],
  'a layer norm with its statistics': [
    ['N', 4, 5],
    [3, 4, 5],
    [
      ['LayerNormalization', ['x', 'scale5'], {}, ['n', 'center', 'inverse']],
      ['Mul', ['n', 'inverse']],
      ['Add', ['y1', 'center']],
    ],
  ],
};
