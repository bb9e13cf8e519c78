import type { Dim, Shape } from '../types.ts';
import type { OpSpec } from './spec.ts';
import { expect, flag, int, ints, show, type } from './spec.ts';

function reduced(shape: Shape, axes: readonly number[], keepDims: boolean): Dim[] {
  for (const axis of axes) expect(axis >= 0 && axis < shape.length, `axis ${axis} is outside the shape ${show(shape)}`);
  return keepDims ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i));
}

/** Reduces `axes` (non-negative, sorted); with none, returns the value itself. */
const reduction: OpSpec = {
  inputs: ['x'],
  attrs: { axes: 'ints', keepDims: 'bool' },
  infer: ([x], attrs) => [type(x!.dtype, reduced(x!.shape, ints(attrs, 'axes'), flag(attrs, 'keepDims')))],
};

const argument: OpSpec = {
  inputs: ['x'],
  attrs: { axis: 'int' },
  infer: ([x], attrs) => [type('int32', reduced(x!.shape, [int(attrs, 'axis')], false))],
};

const cumulative: OpSpec = {
  inputs: ['x'],
  attrs: { axis: 'int', exclusive: 'bool', reverse: 'bool' },
  infer: ([x]) => [x!],
};

export const reduce = {
  Sum: reduction,
  Mean: reduction,
  Max: { ...reduction, handsOn: 'chosen' },
  Min: { ...reduction, handsOn: 'chosen' },
  Prod: reduction,
  All: reduction,
  Any: reduction,
  /** log Σ exp x, computed relative to the maximum. */
  LogSumExp: reduction,
  ArgMax: argument,
  ArgMin: argument,
  Cumsum: cumulative,
  Cumprod: cumulative,
  /** values and int32 indices of the k largest along the last axis, largest first. */
  TopK: {
    inputs: ['x'],
    attrs: { k: 'int' },
    infer: ([x], attrs) => {
      const shape = [...x!.shape.slice(0, -1), int(attrs, 'k')];
      return [type(x!.dtype, shape), type('int32', shape)];
    },
  },
  Softmax: { inputs: ['logits'], attrs: { axis: 'int' }, infer: ([x]) => [x!] },
  LogSoftmax: { inputs: ['logits'], attrs: { axis: 'int' }, infer: ([x]) => [x!] },
} satisfies Record<string, OpSpec>;
