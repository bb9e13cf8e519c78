import type { Costs, CostsOf, BudgetTarget } from './costs.ts';

export interface BudgetOptions {
  /** Share of the target that is to go, 0 … 1. */
  readonly amount: number;
  readonly target: BudgetTarget;
  /** `global`: where it costs least importance. `layer`: the same share everywhere. */
  readonly budget: 'global' | 'layer';
  /**
   * Channel counts stay multiples of this, or as they were. Of several the first that is smaller than the layer's count: of
   * 16 and 8 a layer of 16 channels may still be halved.
   */
  readonly multipleOf: number | readonly number[];
  /**
   * Costs that `amount` is a share of, in the second and later of several rounds: the costs of the model before the first round. Default: those of
   * the model itself.
   */
  readonly whole?: Costs | undefined;
}

/**
 * Largest share of its channels that a layer may lose with the budget `global`. What a layer costs says nothing of what a network can do without it:
 * where one is dear, a bottleneck would be left of it.
 */
export function layerLimit(amount: number): number {
  return (1 + amount) / 2;
}

/**
 * Number of channels that each group keeps, so that the removed share of the costs is nearest to `amount`. `scores[g]` has the importance
 * of each channel of group g; the least important are removed first.
 */
export function allot(scores: readonly Float64Array[], costsOf: CostsOf, options: BudgetOptions): number[] {
  return options.budget === 'layer' ? evenly(scores, costsOf, options) : greedily(scores, costsOf, options);
}

/** The share of the target that is gone. */
export function removedShare(before: Costs, after: Costs, target: BudgetTarget): number {
  return before[target] === 0 ? 0 : 1 - after[target] / before[target];
}

/** Divisor that the channel count of a layer with that many channels keeps. */
export function multipleFor(channels: number, multipleOf: BudgetOptions['multipleOf']): number {
  if (typeof multipleOf === 'number') return multipleOf;
  return multipleOf.find((multiple) => multiple < channels) ?? multipleOf.at(-1) ?? 1;
}

/** `share` of `channels` removed and rounded: the next multiple, never fewer than one, never more than there were. */
export function roundedChannels(channels: number, share: number, multipleOf: number): number {
  const multiple = Math.round((channels * (1 - share)) / multipleOf) * multipleOf;
  return Math.min(channels, Math.max(multipleOf, multiple));
}

const STEPS = 512;

function evenly(
  scores: readonly Float64Array[],
  costsOf: CostsOf,
  { amount, target, multipleOf, whole }: BudgetOptions,
): number[] {
  const keptAt = (share: number): number[] =>
    scores.map(({ length }) => roundedChannels(length, share, multipleFor(length, multipleOf)));
  if (target === 'channels' && whole === undefined) return keptAt(amount);
  const before = whole ?? costsOf(keptAt(0));
  let best = keptAt(0);
  let distance = Math.abs(removedShare(before, costsOf(best), target) - amount);
  for (let step = 1; step <= STEPS; step++) {
    const kept = keptAt(step / STEPS);
    const off = Math.abs(removedShare(before, costsOf(kept), target) - amount);
    if (off < distance) [best, distance] = [kept, off];
  }
  return best;
}

/** Blocks of channels go one after the other: each time the block with the least importance per saved cost. */
function greedily(
  scores: readonly Float64Array[],
  costsOf: CostsOf,
  { amount, target, multipleOf, whole }: BudgetOptions,
): number[] {
  const ascending = scores.map((of) => [...of].sort((a, b) => a - b));
  let kept = scores.map(({ length }) => length);
  const before = whole ?? costsOf(kept);
  for (;;) {
    const now = costsOf(kept);
    let best: { kept: number[]; price: number; share: number } | undefined;
    for (const [g, of] of ascending.entries()) {
      const multiple = multipleFor(of.length, multipleOf);
      const next = Math.ceil(kept[g]! / multiple - 1) * multiple;
      if (next < Math.max(multiple, of.length * (1 - layerLimit(amount)))) continue;
      const after = kept.map((count, i) => (i === g ? next : count));
      const costs = costsOf(after);
      const lost = of.slice(of.length - kept[g]!, of.length - next).reduce((sum, score) => sum + score, 0);
      const price = lost / (now[target] - costs[target]);
      if (best === undefined || price < best.price)
        best = { kept: after, price, share: removedShare(before, costs, target) };
    }
    const reached = removedShare(before, now, target);
    if (best === undefined || Math.abs(best.share - amount) >= Math.abs(reached - amount)) return kept;
    kept = best.kept;
  }
}
