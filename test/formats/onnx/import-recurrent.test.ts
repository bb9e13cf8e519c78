import { removeDeadCode } from '../../../src/graph/passes/simplify/dead-code.ts';
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

  it('reads a single step as it is computed, without the other steps', () => {
    const steps = (place: string, op: string, ...weights: string[]): Step[] => [
      ['Transpose', ['x'], { perm: [1, 0, 2] }],
      [op, ['y0', ...weights], size],
      ['Squeeze', ['y1', 'middle']],
      ['Transpose', ['y2'], { perm: [1, 0, 2] }],
      ['Gather', ['y3', place], { axis: 1 }],
    ];
    const read = (isTrained: boolean, ...model: Parameters<typeof steps>): Record<string, number> => {
      const places = { last: tensor('', 'int64', [], BigInt64Array.of(-1n)), second: tensor('', 'int64', [], BigInt64Array.of(1n)) }; // prettier-ignore
      const { nodes } = removeDeadCode(importOnnx(modelOf(['N', 4, 3], { ...stored, ...places }, steps(...model)), 'm.onnx', { isTrained })); // prettier-ignore
      return Object.fromEntries(['GatherV2', 'Tanh', 'Concat', 'Lstm'].map((op) => [op, nodes.filter((node) => node.op === op).length])); // prettier-ignore
    };
    const lstm = ['LSTM', 'wl', 'rl', 'bl'] as const;
    expect(read(false, 'last', ...lstm)).toEqual({ GatherV2: 0, Tanh: 8, Concat: 0, Lstm: 0 });
    expect(read(false, 'second', ...lstm)).toEqual({ GatherV2: 0, Tanh: 4, Concat: 0, Lstm: 0 });
    expect(read(true, 'last', ...lstm)).toEqual({ GatherV2: 0, Tanh: 8, Concat: 0, Lstm: 1 });
    expect(read(true, 'last', 'LSTM', 'wl', 'rl')).toEqual({ GatherV2: 0, Tanh: 8, Concat: 0, Lstm: 1 });
    // Of an LSTM that is trained the other steps are read from the whole.
    expect(read(true, 'second', ...lstm)).toEqual({ GatherV2: 1, Tanh: 8, Concat: 1, Lstm: 2 });
    expect(read(true, 'second', 'GRU', 'wg', 'rg', 'bg')).toEqual({ GatherV2: 0, Tanh: 2, Concat: 0, Lstm: 0 });
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
