import { tensor } from '../../../src/formats/onnx/model.ts';
import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import type { Case, Step } from '../onnx-steps.ts';
import { floats, ints } from '../onnx-steps.ts';

const SERIES = ['N', 4, 3] as const;
const FED = [2, 4, 3];
/** Steps first, then the batch, as ONNX has it. */
const turned = (...step: Step): Step[] => [['Transpose', ['x'], { perm: [1, 0, 2] }, ['t']], step];
const whole = tensor('', 'int32', [2], Int32Array.of(4, 4));
export const stored: Record<string, OnnxTensor> = {
  ...{
    wl: floats(1, 20, 3),
    rl: floats(1, 20, 5),
    bl: floats(1, 40),
    wl2: floats(2, 20, 3),
    rl2: floats(2, 20, 5),
    bl2: floats(2, 40),
  },
  ...{
    wg: floats(1, 15, 3),
    rg: floats(1, 15, 5),
    bg: floats(1, 30),
    wr: floats(1, 5, 3),
    rr: floats(1, 5, 5),
    br: floats(1, 10),
  },
  ...{
    minus: tensor('', 'int64', [], BigInt64Array.of(-1n)),
    first: tensor('', 'int64', [], BigInt64Array.of(1n)),
    zero: ints(0),
  },
  ...{ h: floats(1, 2, 5), c: floats(1, 2, 5), whole, start: ints(0), one: ints(1), zeros: ints(1, 1, 5) },
  ...{
    short: tensor('', 'int32', [2], Int32Array.of(4, 3)),
    m: floats(6, 7),
    k: floats(4, 6, 5),
    middle: ints(1),
    two: ints(2),
  },
};
export const size = { hidden_size: 5 };

export const recurrentCases: Record<string, Case> = {
  'an LSTM': [SERIES, FED, turned('LSTM', ['t', 'wl', 'rl', 'bl'], size)],
  'an LSTM in both directions': [
    SERIES,
    FED,
    turned('LSTM', ['t', 'wl2', 'rl2', 'bl2'], { ...size, direction: 'bidirectional' }),
  ],
  'an LSTM with functions of its own in each direction': [
    SERIES,
    FED,
    turned('LSTM', ['t', 'wl2', 'rl2', 'bl2'], {
      ...size,
      direction: 'bidirectional',
      activations: { type: 'strings', value: ['Sigmoid', 'Tanh', 'Tanh', 'Sigmoid', 'Relu', 'Tanh'] },
    }),
  ],
  'the last state of an LSTM backwards': [
    SERIES,
    FED,
    turned('LSTM', ['t', 'wl', 'rl'], { ...size, direction: 'reverse' }, ['all', 'y', 'memory']),
  ],
  'the memory of an LSTM that is given a state': [
    FED,
    FED,
    turned('LSTM', ['t', 'wl', 'rl', 'bl', 'whole', 'h', 'c'], size, ['', '', 'y']),
  ],
  "an LSTM as PyTorch's older exporter writes it": [
    ['N', 4, 3],
    [2, 4, 3],
    [
      ['Transpose', ['x'], { perm: [1, 0, 2] }],
      ['Shape', ['y0']],
      ['Slice', ['y1', 'middle', 'two']],
      ['Concat', ['middle', 'y2', 'five'], { axis: 0 }],
      ['ConstantOfShape', ['y3']],
      ['LSTM', ['y0', 'wl', 'rl', 'bl', '', 'y4', 'y4'], size],
      ['Squeeze', ['y5', 'one']],
      ['Transpose', ['y6'], { perm: [1, 0, 2] }],
    ],
  ],
  'the last step of an LSTM, and its second of a GRU': [
    SERIES,
    FED,
    [
      ['Transpose', ['x'], { perm: [1, 0, 2] }, ['t']],
      ['LSTM', ['t', 'wl', 'rl', 'bl'], size, ['all']],
      ['Squeeze', ['all', 'one'], {}, ['steps']],
      ['Transpose', ['steps'], { perm: [1, 0, 2] }, ['turned']],
      ['Gather', ['turned', 'minus'], { axis: 1 }, ['last']],
      ['GRU', ['t', 'wg', 'rg', 'bg'], size, ['others']],
      ['Gather', ['others', 'first'], { axis: 0 }, ['second']],
      ['Squeeze', ['second', 'zero'], {}, ['flat']],
      ['Add', ['last', 'flat']],
    ],
  ],
  'a GRU': [SERIES, FED, turned('GRU', ['t', 'wg', 'rg', 'bg'], size)],
  "a GRU of PyTorch's": [SERIES, FED, turned('GRU', ['t', 'wg', 'rg', 'bg'], { ...size, linear_before_reset: 1 })],
  'a GRU without biases that is given a state': [FED, FED, turned('GRU', ['t', 'wg', 'rg', '', '', 'h'], size)],
  "a GRU of PyTorch's without biases": [
    SERIES,
    FED,
    turned('GRU', ['t', 'wg', 'rg'], { ...size, linear_before_reset: 1 }),
  ],
  'an LSTM that is given its first values, and no memory': [
    FED,
    FED,
    turned('LSTM', ['t', 'wl', 'rl', 'bl', '', 'h'], size, ['', '', 'y']),
  ],
  'a plain layer with biases': [SERIES, FED, turned('RNN', ['t', 'wr', 'rr', 'br'], size)],
  'a plain layer with another activation': [
    SERIES,
    FED,
    turned('RNN', ['t', 'wr', 'rr'], { ...size, activations: { type: 'strings', value: ['Relu'] } }),
  ],
  'a product of matrices by letters': [
    ['N', 5, 6],
    [2, 5, 6],
    [['Einsum', ['x', 'm'], { equation: 'bij, jk -> bik' }]],
  ],
  'one with the batch in both': [['N', 5, 6], [2, 5, 6], [['Einsum', ['x', 'x'], { equation: 'bij,bkj->bik' }]]],
  'one over all but an ellipsis': [['N', 5, 6], [2, 5, 6], [['Einsum', ['x', 'm'], { equation: '...j,jk->k...' }]]],
  'a trace of sums': [['N', 5, 6], [2, 5, 6], [['Einsum', ['x'], { equation: 'bij->jb' }]]],
  'one of attention heads': [
    ['N', 5, 6],
    [2, 5, 6],
    [
      ['Einsum', ['x', 'k'], { equation: 'bnd,hdk->bhnk' }],
      ['Einsum', ['y0', 'y0'], { equation: 'bhnk,bhmk->bhnm' }],
    ],
  ],
};
stored['five'] = ints(5);
