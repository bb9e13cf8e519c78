import type { Shape } from '../../../graph/types.ts';
import type { OnnxNode } from '../model.ts';
import { axisOf, intsAttr } from './attrs.ts';
import { FIXED_BATCH } from './hints.ts';
import type { Import } from './context.ts';

/** Slice of an axis: `length` elements from `begin` on, at distance `step`; a `length` of -1 is the whole batch. */
export interface AxisSlice {
  readonly begin: number;
  readonly step: number;
  readonly length: number;
}

/** Slices of each axis by a `Slice` node: attributes before operator set 10, inputs since. */
export function slicesOf(node: OnnxNode, c: Import, from: Shape): AxisSlice[] {
  const integersAt = (position: number, name: string): number[] | undefined => {
    if (c.opset < 10) return intsAttr(node, c, name);
    const input = node.inputs[position] ?? '';
    return input === '' ? undefined : c.ints(input, name);
  };
  const first = integersAt(1, 'starts') ?? c.fail('it names no starts');
  const last = integersAt(2, 'ends') ?? c.fail('it names no ends');
  const where = (integersAt(3, 'axes') ?? first.map((_, i) => i)).map((axis) => axisOf(axis, from.length, c));
  const steps = (c.opset < 10 ? undefined : integersAt(4, 'steps')) ?? first.map(() => 1);
  if (last.length !== first.length || where.length !== first.length || steps.length !== first.length)
    c.fail(`${first.length} starts, ${last.length} ends, ${steps.length} steps and ${where.length} axes`);
  return from.map((dim, axis) => {
    const i = where.indexOf(axis);
    const whole = { begin: 0, step: 1, length: typeof dim === 'number' ? dim : -1 };
    if (i < 0) return whole;
    if (typeof dim === 'number') return axisSlice(dim, first[i]!, last[i]!, steps[i]!, c);
    if (first[i] !== 0 || last[i]! < 2 ** 31 - 1 || steps[i] !== 1) c.fail('it cuts the batch', FIXED_BATCH);
    return whole;
  });
}

/** https://onnx.ai/onnx/operators/onnx__Slice.html */
function axisSlice(dim: number, start: number, end: number, step: number, c: Import): AxisSlice {
  if (step === 0) c.fail('with a step of 0');
  const place = (value: number, low: number, high: number): number =>
    Math.max(low, Math.min(high, value < 0 ? value + dim : value));
  const [begin, stop] =
    step > 0 ? [place(start, 0, dim), place(end, 0, dim)] : [place(start, 0, dim - 1), place(end, -1, dim - 1)];
  return { begin, step, length: Math.max(0, Math.ceil((stop - begin) / step)) };
}
