import type { State, StateTensor } from '../../runtime/engine.ts';
import type { ChannelGroup, GroupMember } from './groups.ts';

export type Importance = 'l1' | 'l2' | 'bn-scale' | 'taylor' | 'fisher';

/** Importances that are measured on samples, see taylor.ts. */
export type MeasuredImportance = 'taylor' | 'fisher';

export const isMeasured = (importance: Importance): importance is MeasuredImportance =>
  importance === 'taylor' || importance === 'fisher';

export interface Scored {
  /** [channels] comparable between groups: relative to the mean of the group, or with `taylor` and `fisher` changes of the loss. */
  readonly scores: Float64Array;
  /** Measure that was used: a group without batch norm is measured by `l2` instead of `bn-scale`. */
  readonly by: Importance;
}

/**
 * Importance of each channel of a group: [channels].
 * - `l1`, `l2`: norm of the filters that make it (Li et al. 2017, "Pruning filters for efficient ConvNets").
 * - `bn-scale`: |γ| of the batch norms behind them (Liu et al. 2017, "Network slimming").
 * - `taylor`: change of the loss without it, see taylor.ts; `measured` has it.
 * - `fisher`: the same with answers drawn from the teacher's, see fisher.ts.
 */
export function scoreChannels(
  group: ChannelGroup,
  weights: State,
  importance: Importance,
  measured?: Float64Array,
): Scored {
  if (isMeasured(importance)) {
    if (measured === undefined) throw new Error(`${importance} importance of ${group.name} was not measured`);
    return { scores: measured, by: importance };
  }
  const scales = group.members.filter(({ role }) => role === 'scale');
  const by = importance === 'bn-scale' && scales.length === 0 ? 'l2' : importance;
  const makers = group.members.filter(({ role }) => role === 'out' || role === 'depthwise');
  const raw = new Float64Array(group.channels);
  for (const member of by === 'bn-scale' ? scales : makers) {
    addSums(raw, member, weights.get(member.weight)!, by === 'l2' ? (value) => value * value : Math.abs);
  }
  const values = by === 'l2' ? raw.map(Math.sqrt) : raw;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { scores: mean === 0 ? values : values.map((value) => value / mean), by };
}

/** Adds to `sums`, [channels], the sum of `of` over the values that each channel holds in a weight. */
export function addSums(
  sums: Float64Array,
  { axis, positions }: Pick<GroupMember, 'axis' | 'positions'>,
  { type, data }: Pick<StateTensor, 'type' | 'data'>,
  of: (value: number) => number,
): void {
  const shape = type.shape.map(Number);
  const inner = shape.slice(axis + 1).reduce((total, size) => total * size, 1);
  const size = shape[axis]!;
  const perPosition = new Float64Array(size);
  for (let i = 0; i < data.length; i++) perPosition[Math.floor(i / inner) % size]! += of(Number(data[i]));
  positions.forEach((held, channel) => {
    for (const position of held) sums[channel]! += perPosition[position]!;
  });
}
