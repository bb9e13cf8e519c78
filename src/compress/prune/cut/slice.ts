import type { State, StateTensor } from '../../../runtime/engine.ts';
import type { ChannelGroup } from '../groups.ts';

/** The weights without the channels that are not in `keep[g]`, the channels of group g that stay, ascending. */
export function sliceWeights(
  weights: State,
  groups: readonly ChannelGroup[],
  keep: readonly (readonly number[])[],
): State {
  const removed = new Map<string, Map<number, Set<number>>>();
  groups.forEach(({ members, channels }, g) => {
    const stays = new Set(keep[g]);
    const gone = Array.from({ length: channels }, (_, c) => c).filter((c) => !stays.has(c));
    for (const { weight, axis, positions } of members) {
      const axes = removed.get(weight) ?? new Map<number, Set<number>>();
      removed.set(weight, axes);
      const set = axes.get(axis) ?? new Set();
      axes.set(axis, set);
      for (const channel of gone) for (const position of positions[channel]!) set.add(position);
    }
  });
  return new Map(
    [...weights].map(([name, tensor]) => {
      const axes = [...(removed.get(name) ?? [])].filter(([, gone]) => gone.size > 0);
      return [name, axes.reduce((sliced, [axis, gone]) => without(sliced, axis, gone), tensor)];
    }),
  );
}

function without({ type, data }: StateTensor, axis: number, gone: ReadonlySet<number>): StateTensor {
  const shape = type.shape.map(Number);
  const size = shape[axis]!;
  const inner = shape.slice(axis + 1).reduce((total, of) => total * of, 1);
  return {
    type: { ...type, shape: shape.map((of, i) => (i === axis ? of - gone.size : of)) },
    data: (data as Float32Array).filter((_, i) => !gone.has(Math.floor(i / inner) % size)),
  };
}
