import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import type { Attrs, Case, Step } from '../onnx-steps.ts';
import { floats, ints, list, scalar } from '../onnx-steps.ts';

export const IMAGE = ['N', 4, 6, 7] as const;
const FED = [2, 4, 6, 7];
export const stored: Record<string, OnnxTensor> = {
  ...{
    twice: list(1, 1, 2, 2),
    odd: list(1, 1, 1.6, 0.7),
    size: ints(2, 4, 9, 5),
    small: ints(3, 4),
    high: ints(74, 7),
    flat: ints(2, 4, 1, 5),
    axes: ints(2, 3),
  },
  ...{
    line: list(1, 1, 2.5),
    pads: ints(0, 0, 1, 2, 0, 0, 3, 1),
    far: ints(0, 0, 5, 0, 0, 0, 0, 6),
    cuts: ints(0, 0, -1, 2, 0, 0, 0, -3),
  },
  ...{ value: scalar(0.25), four: floats(4), more: floats(4), two: floats(2), other: floats(2) },
};
export const resized = (attrs: Attrs, inputs = ['x', '', 'odd']): Step[] => [['Resize', inputs, attrs]];
/** By sizes instead of scales. */
const SIZED = ['x', '', '', 'size'];
const linear = (mode: string, inputs?: string[]): Step[] =>
  resized({ mode: 'linear', coordinate_transformation_mode: mode }, inputs);
const nearest = (coordinates: string, rounding: string, inputs?: string[]): Step[] =>
  resized({ mode: 'nearest', coordinate_transformation_mode: coordinates, nearest_mode: rounding }, inputs);

/** 37 · 6 / 74 is 3, and a little less in float32. */
export const high = resized(
  { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor', axes: [2, 3] },
  ['x', '', '', 'high'],
);

export const resizeCases: Record<string, Case> = {
  'nearest where float32 rounds a place down': [IMAGE, FED, high, 18],
  'nearest as PyTorch writes it': [
    IMAGE,
    FED,
    resized({ coordinate_transformation_mode: 'asymmetric', mode: 'nearest', nearest_mode: 'floor' }, [
      'x',
      '',
      'twice',
    ]),
  ],
  'nearest to the upper neighbour': [IMAGE, FED, nearest('half_pixel', 'round_prefer_ceil')],
  'nearest to the lower neighbour': [IMAGE, FED, nearest('asymmetric', 'round_prefer_floor')],
  'nearest with corners aligned': [FED, FED, nearest('align_corners', 'ceil', SIZED)],
  'linear with half pixels': [IMAGE, FED, linear('half_pixel')],
  "linear with PyTorch's half pixels": [IMAGE, FED, linear('pytorch_half_pixel')],
  'linear with corners aligned': [FED, FED, linear('align_corners', SIZED)],
  'linear with corners aligned, to one row': [FED, FED, linear('align_corners', ['x', '', '', 'flat'])],
  'linear with half pixels about the centre': [IMAGE, FED, linear('half_pixel_symmetric'), 19],
  'a norm of zeros': [
    IMAGE,
    FED,
    [
      ['Relu', ['x']],
      ['LpNormalization', ['y0'], { axis: 1 }],
    ],
  ],
  'linear from the corner': [IMAGE, FED, linear('asymmetric')],
  'linear to a size': [FED, FED, resized({ mode: 'linear' }, ['x', '', '', 'size'])],
  'linear over two axes by name': [IMAGE, FED, resized({ mode: 'linear', axes: [2, 3] }, ['x', '', '', 'small']), 18],
  cubic: [IMAGE, FED, resized({ mode: 'cubic', cubic_coeff_a: -0.5 })],
  'over length': [['N', 4, 7], [2, 4, 7], resized({ mode: 'linear' }, ['x', '', 'line'])],
  'an older resize': [IMAGE, FED, [['Resize', ['x', 'odd'], { mode: 'nearest' }]], 10],
  upsampling: [IMAGE, FED, [['Upsample', ['x', 'twice'], { mode: 'linear' }]], 9],
  'padding by the edge': [IMAGE, FED, [['Pad', ['x', 'pads'], { mode: 'edge' }]]],
  'padding by itself': [IMAGE, FED, [['Pad', ['x', 'far'], { mode: 'wrap' }]], 19],
  'padding by a mirror': [IMAGE, FED, [['Pad', ['x', 'pads'], { mode: 'reflect' }]]],
  'padding and cutting': [IMAGE, FED, [['Pad', ['x', 'cuts', 'value']]]],
  'depth to space': [IMAGE, FED, [['DepthToSpace', ['x'], { blocksize: 2 }]]],
  'depth to space, a channel in a block': [IMAGE, FED, [['DepthToSpace', ['x'], { blocksize: 2, mode: 'CRD' }]]],
  'space to depth': [['N', 2, 6, 8], [2, 2, 6, 8], [['SpaceToDepth', ['x'], { blocksize: 2 }]]],
  'instance normalization': [IMAGE, FED, [['InstanceNormalization', ['x', 'four', 'more']]]],
  'instance normalization behind a pool': [
    IMAGE,
    FED,
    [
      ['MaxPool', ['x'], { kernel_shape: [2, 2] }],
      ['InstanceNormalization', ['y0', 'four', 'more'], { epsilon: 0.01 }],
    ],
  ],
  'group normalization': [IMAGE, FED, [['GroupNormalization', ['x', 'four', 'more'], { num_groups: 2 }]], 21],
  'group normalization of operator set 18': [
    IMAGE,
    FED,
    [['GroupNormalization', ['x', 'two', 'other'], { num_groups: 2 }]],
    18,
  ],
  'response normalization': [IMAGE, FED, [['LRN', ['x'], { size: 3, alpha: 0.1, beta: 0.5 }]]],
  'a norm': [IMAGE, FED, [['ReduceL2', ['x'], { axes: [1], keepdims: 1 }]]],
  'a product': [IMAGE, FED, [['ReduceProd', ['x'], { axes: [-1], keepdims: 0 }]]],
  'a sum of exponentials': [IMAGE, FED, [['ReduceLogSumExp', ['x'], { axes: [2, 3] }]]],
  mish: [IMAGE, FED, [['Mish', ['x']]], 18],
  celu: [IMAGE, FED, [['Celu', ['x'], { alpha: 0.5 }]]],
};
