import type { State } from '../../runtime/engine.ts';
import type { ChannelGroup, Member } from './groups.ts';

export type Importance = 'l1' | 'l2' | 'bn-scale' | 'taylor';

/** Gradient times weight, summed over training batches, by state name and in the weights' order. */
export type Saliency = ReadonlyMap<string, Float32Array>;

export interface Scored {
  /** [channels] relative to the mean of the group, which makes groups comparable. */
  readonly scores: Float64Array;
  /** What was measured: a group without batch norm is measured by L2 instead of the scale. */
  readonly by: Importance;
}

/**
 * How much each channel of a group matters.
 * - `l1`, `l2`: norm of the filters that make it (Li et al. 2017, "Pruning filters for efficient ConvNets").
 * - `bn-scale`: |γ| of the batch norms behind them (Liu et al. 2017, "Network slimming").
 * - `taylor`: (Σ gradient · weight)², the first-order change of the loss without it (Molchanov et al. 2019,
 *   "Importance estimation for neural network pruning").
 */
export function scoreChannels(
  group: ChannelGroup,
  weights: State,
  importance: Importance,
  saliency?: Saliency,
): Scored {
  const scales = group.members.filter(({ role }) => role === 'scale');
  const by = importance === 'bn-scale' && scales.length === 0 ? 'l2' : importance;
  const makers = group.members.filter(({ role }) => role === 'out' || role === 'depthwise');
  const raw = new Float64Array(group.channels);
  for (const member of by === 'bn-scale' ? scales : makers) {
    const { type, data } = weights.get(member.weight)!;
    const shape = type.shape.map(Number);
    if (by === 'taylor') addSums(raw, member, shape, saliencyOf(saliency, member.weight), (value) => value);
    else addSums(raw, member, shape, data as Float32Array, by === 'l2' ? (value) => value * value : Math.abs);
  }
  const values = by === 'l2' ? raw.map(Math.sqrt) : by === 'taylor' ? raw.map((sum) => sum * sum) : raw;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { scores: mean === 0 ? values : values.map((value) => value / mean), by };
}

function saliencyOf(saliency: Saliency | undefined, weight: string): Float32Array {
  const found = saliency?.get(weight);
  if (found === undefined) throw new Error(`taylor importance needs gradient times weight of ${weight}`);
  return found;
}

function addSums(
  sums: Float64Array,
  { axis, positions }: Member,
  shape: readonly number[],
  data: Float32Array,
  of: (value: number) => number,
): void {
  const inner = shape.slice(axis + 1).reduce((total, size) => total * size, 1);
  const size = shape[axis]!;
  const perPosition = new Float64Array(size);
  for (let i = 0; i < data.length; i++) perPosition[Math.floor(i / inner) % size]! += of(data[i]!);
  positions.forEach((held, channel) => {
    for (const position of held) sums[channel]! += perPosition[position]!;
  });
}
