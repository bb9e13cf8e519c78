import type { OnnxTensor } from '../../../src/formats/onnx/model.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import type { Case } from '../onnx-steps.ts';
import { float, floats } from '../onnx-steps.ts';

const truths = (dims: readonly number[], at: (i: number) => boolean): OnnxTensor =>
  tensor(
    '',
    'bool',
    dims,
    Uint8Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Number(at(i))),
  );

export const stored: Readonly<Record<string, OnnxTensor>> = {
  key: floats(2, 2, 6, 8),
  value: floats(2, 2, 6, 4),
  pastKey: floats(2, 2, 3, 8),
  pastValue: floats(2, 2, 3, 4),
  bias: floats(5, 6),
  // Of the second row nothing may be attended to.
  truth: truths([5, 6], (i) => Math.floor(i / 6) !== 1 && i % 3 !== 0),
  mean: floats(1),
  cosines: floats(10, 4),
  sines: floats(10, 4),
  quarter: floats(10, 2),
  places: tensor('', 'int64', [2, 5], BigInt64Array.from([0, 1, 2, 3, 4, 9, 7, 5, 3, 1], BigInt)),
};

const FED = [2, 4, 5, 8];
const BY_HEAD = FED;
const ROWS = ['N', 5, 32] as const;
const ROWS_FED = [2, 5, 32];

/** Four heads of the query read two of the key. */
export const attentionCases: Readonly<Record<string, Case>> = {
  'attention of its own rows': [
    ROWS,
    ROWS_FED,
    [['Attention', ['x', 'x', 'x'], { q_num_heads: 4, kv_num_heads: 4 }]],
    23,
  ],
  'shared heads, causal': [BY_HEAD, FED, [['Attention', ['x', 'key', 'value'], { is_causal: 1 }]], 23],
  'a mask that is added, and a scale': [
    BY_HEAD,
    FED,
    [['Attention', ['x', 'key', 'value', 'bias'], { scale: float(0.5) }]],
    23,
  ],
  'a mask of truths': [BY_HEAD, FED, [['Attention', ['x', 'key', 'value', 'truth']]], 23],
  'what came before': [
    BY_HEAD,
    FED,
    [
      [
        'Attention',
        ['x', 'key', 'value', '', 'pastKey', 'pastValue'],
        { is_causal: 1 },
        ['out', 'presentKey', 'presentValue'],
      ],
      ['Add', ['out', 'mean']],
    ],
    23,
  ],
  'scores that are capped': [BY_HEAD, FED, [['Attention', ['x', 'key', 'value'], { softcap: float(2) }]], 23],
  'rotated by place': [BY_HEAD, FED, [['RotaryEmbedding', ['x', 'cosines', 'sines', 'places']]], 23],
  'rotated by place, in pairs': [
    ROWS_FED,
    ROWS_FED,
    [['RotaryEmbedding', ['x', 'cosines', 'sines', 'places'], { num_heads: 4, interleaved: 1 }]],
    23,
  ],
  'rotated in part': [
    BY_HEAD,
    FED,
    [['RotaryEmbedding', ['x', 'quarter', 'quarter', 'places'], { rotary_embedding_dim: 4 }]],
    23,
  ],
};
