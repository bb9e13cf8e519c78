import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { recurrentCases, size, stored } from '../../support/onnx-cases/recurrent.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, modelOf } from '../../support/onnx-steps.ts';

describe('a recurrent layer or a product of a file', () => {
  it.each(Object.entries(recurrentCases))('gives what ONNX Runtime gives: %s', async (_, [dims, fed, steps]) => {
    await expectSame(modelOf(dims, stored, steps), fed);
  });

  it.each([
    [
      'lengths of their own',
      [['LSTM', ['x', 'wl', 'rl', '', 'short'], size]],
      /\(LSTM\): its sequences have lengths of their own/,
    ],
    [
      'clipping',
      [['GRU', ['x', 'wg', 'rg'], { ...size, clip: 0.5 }]],
      /\(GRU\): its attribute clip \(0\.5\) is not read here/,
    ],
    [
      'peepholes',
      [['LSTM', ['x', 'wl', 'rl', '', '', '', '', 'h'], size]],
      /\(LSTM\): its input 8, h, is not read here/,
    ],
    [
      'an activation',
      [['RNN', ['x', 'wr', 'rr'], { ...size, activations: { type: 'strings', value: ['Affine'] } }]],
      /\(RNN\): its activation Affine is not known here/,
    ],
    ['a diagonal', [['Einsum', ['x'], { equation: 'iij->j' }]], /takes a diagonal/],
    ['letters of two sizes', [['Einsum', ['x', 'm'], { equation: 'abc,cd->abd' }]], /c is 3 and 6/],
  ] as [string, Step[], RegExp][])('is refused by node and operator: %s', (_, steps, message) => {
    expect(() => importOnnx(modelOf([4, 2, 3], stored, steps), 'm.onnx')).toThrow(message);
  });
});
