import { RandomStream } from '../../base/random.ts';
import type { RawSplit } from '../dataset.ts';
import type { Draw } from './split.ts';

/** Number of random orders of the groups that are compared. */
const TRIES = 200;

/**
 * Rows of whole groups, in ascending order: about `size` of them, with about the shares of the labels that all rows have. Of the first groups of
 * random orders, those are taken whose numbers of samples of each label are nearest to their shares; neither all groups nor none.
 */
export function drawGroups(
  labels: Int32Array,
  groups: Int32Array,
  { size, seed, purpose }: Pick<Draw, 'size' | 'seed' | 'purpose'>,
): Int32Array {
  const names = [...new Set(groups)];
  const classes = labels.reduce((max, label) => Math.max(max, label), 0) + 1;
  const counts = new Map(names.map((group) => [group, new Float64Array(classes)]));
  const wanted = new Float64Array(classes);
  labels.forEach((label, row) => {
    counts.get(groups[row]!)![label]!++;
    wanted[label]! += size / labels.length;
  });
  let best: { readonly distance: number; readonly groups: ReadonlySet<number> } | undefined;
  const random = new RandomStream(seed, 'split', purpose, 'groups');
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const order = Array.from(random.permutation(names.length), (i) => names[i]!);
    const left = wanted.slice();
    let samples = 0;
    for (let taken = 1; taken < order.length && samples < size; taken++) {
      for (const [label, count] of counts.get(order[taken - 1]!)!.entries()) {
        left[label]! -= count;
        samples += count;
      }
      const distance = left.reduce((sum, value) => sum + Math.abs(value), 0);
      if (best === undefined || distance < best.distance) best = { distance, groups: new Set(order.slice(0, taken)) };
    }
  }
  return Int32Array.from(groups.keys()).filter((row) => best!.groups.has(groups[row]!));
}

/** A warning about groups that a split shares with train; none without. */
export function sharedGroups(name: string, split: RawSplit, train: RawSplit): readonly string[] {
  const names = new Set(train.groups?.names);
  const shared = split.groups?.names.filter((one) => names.has(one)) ?? [];
  if (shared.length === 0) return [];
  const some = shared.length <= 5 ? shared.join(', ') : `${shared.slice(0, 5).join(', ')}, …`;
  return [
    `${name} has ${shared.length} groups of windows that train has too: ${some}; the score says little about groups that are not in train`,
  ];
}
