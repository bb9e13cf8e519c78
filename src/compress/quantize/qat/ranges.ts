import type { Quantization, TensorQuantization } from '../../../graph/quantization.ts';
import type { Graph } from '../../../graph/types.ts';
import { shareScales } from '../share.ts';
import { SMALLEST_SCALE } from './fake-quantize.ts';

/** Activations that have one range in common, because the runtimes want their scales equal. */
interface RangeGroup {
  readonly values: readonly string[];
  /** The range at the start, from calibration; it holds 0. */
  readonly low: number;
  readonly high: number;
}

export interface Ranges {
  readonly groups: readonly RangeGroup[];
  /** Activations whose scale is prescribed. */
  readonly fixed: Quantization;
}

/** The ranges of the activations named, grouped as `shareScales` would share them. */
export function rangesOf(graph: Graph, activations: ReadonlySet<string>, calibrated: Quantization): Ranges {
  // Each gets scales of its own, a new object: values that hold the same object afterwards share their scales.
  const own = new Map<string, TensorQuantization>();
  for (const name of calibrated.keys()) {
    const isActivation = graph.types.has(name) && !graph.constants.has(name);
    if (isActivation) own.set(name, { ...calibrated.get(name)! });
  }
  const tokens = new Set(own.values());
  const shared = shareScales(graph, own);
  const members = new Map<TensorQuantization, string[]>();
  const fixed = new Map<string, TensorQuantization>();
  for (const [name, token] of shared) {
    if (!activations.has(name)) continue;
    if (!tokens.has(token)) fixed.set(name, token);
    else members.set(token, [...(members.get(token) ?? []), name]);
  }
  const groups = [...members].map(([{ scales, zeroPoints }, values]) => ({
    values,
    low: Math.fround(scales[0]! * (-128 - zeroPoints[0]!)),
    high: Math.fround(scales[0]! * (127 - zeroPoints[0]!)),
  }));
  return { groups, fixed };
}

/** Scale and zero point of a range, in float32 arithmetic step by step: the very ones that were trained with. */
export function quantizationOfRange(low: number, high: number): TensorQuantization {
  const scale = Math.max(Math.fround(Math.fround(high - low) / 255), SMALLEST_SCALE);
  const place = Math.fround(-128 - Math.fround(low / scale));
  return { dtype: 'int8', scales: [scale], zeroPoints: [Math.min(127, Math.max(-128, halfToEven(place)))] };
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
