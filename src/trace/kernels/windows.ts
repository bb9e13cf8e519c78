import type { Value } from '../value.ts';
import { op } from '../value.ts';
import { filled, pad, reshape, sizeOfShape } from './table.ts';

/** Windows over the axes between the first (batch) and the last (channels). */
export interface Windows {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly filter: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before each axis; windows that reach beyond the end are padded too. */
  readonly before: readonly number[];
}

/** Offset of each tap in a window: all combinations, the last axis fastest. */
export function offsets({ filter, dilations }: Windows): number[][] {
  return filter.reduce<number[][]>(
    (all, length, axis) => all.flatMap((at) => Array.from({ length }, (_, i) => [...at, i * dilations[axis]!])),
    [[]],
  );
}

/** Padded axis lengths: enough for the last window. */
function padded({ input, output, filter, strides, dilations, before }: Windows): number[] {
  return input.map((length, i) =>
    Math.max(length + before[i]!, (output[i]! - 1) * strides[i]! + (filter[i]! - 1) * dilations[i]! + 1),
  );
}

/** x: [batch, …input, channels] to one [batch, …output, channels] for each tap. */
export function taps(x: Value, windows: Windows, fill = 0): Value[] {
  const { input, output, strides, before } = windows;
  const whole = padded(windows);
  const around = input.map((length, i) => [before[i]!, whole[i]! - length - before[i]!]);
  const wide = pad(x, [[0, 0], ...around, [0, 0]], fill);
  const [batch, channels] = [x.type.shape[0]!, x.type.shape.at(-1)!];
  return offsets(windows).map((at) =>
    op('StridedSlice', [wide], {
      begin: [0, ...at, 0],
      end: [batch, ...at.map((from, i) => from + (output[i]! - 1) * strides[i]! + 1), channels],
      strides: [1, ...strides, 1],
    }),
  );
}

/** Transpose of `taps`: adds each value at the position of its tap. */
export function untap(values: readonly Value[], windows: Windows): Value {
  const { input, strides, before } = windows;
  const whole = padded(windows);
  const wide = offsets(windows)
    .map((at, t) => {
      const spaced = strides.reduce((value, stride, i) => spread(value, i + 1, stride), values[t]!);
      const around = at.map((from, i) => [from, whole[i]! - from - spaced.type.shape[i + 1]!]);
      return pad(spaced, [[0, 0], ...around, [0, 0]]);
    })
    .reduce((sum, value) => op('Add', [sum, value]));
  const { shape } = wide.type;
  return op('Slice', [wide], { begin: [0, ...before, 0], size: [shape[0]!, ...input, shape.at(-1)!] });
}

/** Puts `stride` - 1 zeros between the elements along `axis`. */
function spread(x: Value, axis: number, stride: number): Value {
  if (stride === 1) return x;
  const { shape } = x.type;
  const apart = reshape(x, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
  const wide = pad(
    apart,
    apart.type.shape.map((_, i) => [0, i === axis + 1 ? stride - 1 : 0]),
  );
  const long = reshape(wide, shape.with(axis, shape[axis]! * stride));
  return op('Slice', [long], { begin: shape.map(() => 0), size: shape.with(axis, (shape[axis]! - 1) * stride + 1) });
}

/** Masks, one for each tap, of positions at which it is the first to reach `best`. */
export function firstBest(values: readonly Value[], best: Value): Value[] {
  let matched: Value | undefined;
  return values.map((value) => {
    const equal = op('Equal', [value, best]);
    const first = matched === undefined ? equal : op('LogicalAnd', [equal, op('LogicalNot', [matched])]);
    matched = matched === undefined ? equal : op('LogicalOr', [matched, equal]);
    return first;
  });
}

/** The lowest float32, below every other value. */
export const LOWEST = -3.4028234663852886e38;

/** Maximum at each position, ignoring NaN. */
export function largest(values: readonly Value[]): Value {
  const lowest = filled(LOWEST, values[0]!.type.shape);
  return values.reduce((best, value) => op('Select', [op('Greater', [value, best]), value, best]), lowest);
}

export function windowSize({ filter }: Windows): number {
  return sizeOfShape(filter);
}
