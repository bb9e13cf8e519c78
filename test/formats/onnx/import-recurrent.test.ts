import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import { recurrentCases, size, stored } from '../../support/onnx-cases/recurrent.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, ints, modelOf } from '../../support/onnx-steps.ts';

describe('a recurrent layer or a product of a file', () => {
  it('starts from nothing where the file stores zeros, one for each sample of a fixed batch', () => {
    const nothing = tensor('', 'float32', [1, 2, 5], new Float32Array(10));
    const whole = ints(1, 2, 5);
    const steps = (...state: string[]): Step[] => [
      ['Transpose', ['x'], { perm: [1, 0, 2] }],
      ['Expand', ['nothing', 'whole']],
      ['LSTM', ['y0', 'wl', 'rl', 'bl', '', ...state], size, ['y']],
    ];
    const read = (...state: string[]): number =>
      importOnnx(modelOf([2, 4, 3], { ...stored, nothing, whole }, steps(...state)), 'm.onnx').nodes.length;
    expect(read('y1', 'y1')).toBe(read());
    expect(read('nothing', 'nothing')).toBe(read());
    expect(read('h', 'c')).toBeGreaterThan(read());
  });

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
