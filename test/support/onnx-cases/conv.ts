import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import type { Case } from '../onnx-steps.ts';
import { floats, positive } from '../onnx-steps.ts';

export const IMAGE = ['N', 4, 6, 7] as const;
const FED = [2, 4, 6, 7];
const SOUND = ['N', 4, 15] as const;
const HEARD = [2, 4, 15];
export const stored: Record<string, OnnxTensor> = {
  ...{
    grouped: floats(6, 2, 3, 3),
    six: floats(6),
    line: floats(6, 4, 3),
    groups: floats(6, 2, 3),
    each: floats(8, 1, 3),
  },
  ...{ up: floats(4, 3, 3, 2), three: floats(3), pairs: floats(4, 3, 3, 3), upLine: floats(4, 3, 4) },
  ...{
    s: positive(6),
    o: floats(6),
    m: floats(6),
    v: positive(6),
    whole: floats(5, 4, 3, 3),
    vector: floats(15),
    row: floats(4),
  },
};
const up = { strides: [2, 3], pads: [1, 0, 1, 1] };

export const convCases: Record<string, Case> = {
  'a convolution in groups': [
    IMAGE,
    FED,
    [['Conv', ['x', 'grouped', 'six'], { group: 2, strides: [2, 1], pads: [1, 1, 1, 1] }]],
  ],
  'a convolution over length': [
    SOUND,
    HEARD,
    [['Conv', ['x', 'line', 'six'], { strides: [2], pads: [1, 2], dilations: [2] }]],
  ],
  'one in groups': [SOUND, HEARD, [['Conv', ['x', 'groups'], { group: 2, auto_pad: 'SAME_UPPER', strides: [2] }]]],
  'one for each channel': [SOUND, HEARD, [['Conv', ['x', 'each'], { group: 4, kernel_shape: [3] }]]],
  'a network over sound': [
    SOUND,
    HEARD,
    [
      ['Conv', ['x', 'line', 'six'], { pads: [1, 1] }],
      ['BatchNormalization', ['y0', 's', 'o', 'm', 'v']],
      ['Relu', ['y1']],
      ['MaxPool', ['y2'], { kernel_shape: [3], strides: [2], pads: [1, 1] }],
      ['AveragePool', ['y3'], { kernel_shape: [2], strides: [2], ceil_mode: 1 }],
      ['GlobalAveragePool', ['y4']],
    ],
  ],
  'a filter that is computed': [
    IMAGE,
    FED,
    [
      ['Tanh', ['whole']],
      ['Conv', ['x', 'y0']],
    ],
  ],
  'a transposed convolution': [IMAGE, FED, [['ConvTranspose', ['x', 'up', 'three'], up]]],
  'one with an output padding': [IMAGE, FED, [['ConvTranspose', ['x', 'up'], { ...up, output_padding: [1, 2] }]]],
  'one in two groups': [
    IMAGE,
    FED,
    [['ConvTranspose', ['x', 'pairs'], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }]],
  ],
  'one of a given size': [IMAGE, FED, [['ConvTranspose', ['x', 'up'], { strides: [2, 3], output_shape: [12, 20] }]]],
  'one of a given size with an output padding': [
    IMAGE,
    FED,
    [['ConvTranspose', ['x', 'up'], { strides: [2, 3], output_shape: [13, 20], output_padding: [1, 0] }]],
  ],
  'one that is dilated': [IMAGE, FED, [['ConvTranspose', ['x', 'up'], { dilations: [2, 2] }]]],
  'one that keeps its size': [
    IMAGE,
    FED,
    [['ConvTranspose', ['x', 'pairs'], { group: 1, strides: [2, 2], auto_pad: 'SAME_UPPER' }]],
  ],
  'one over length': [
    SOUND,
    HEARD,
    [['ConvTranspose', ['x', 'upLine', 'three'], { strides: [2], pads: [1, 1], output_padding: [1] }]],
  ],
  'a product with a vector': [SOUND, HEARD, [['MatMul', ['x', 'vector']]]],
  'a product of a vector': [SOUND, HEARD, [['MatMul', ['row', 'x']]]],
};
