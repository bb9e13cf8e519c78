import type { ModelNetwork } from '../../networks/network.ts';
import type { State } from '../../runtime/engine.ts';
import { allot, layerLimit, multipleFor, removedShare } from './budget.ts';
import type { BudgetOptions } from './budget.ts';
import { cutGraph } from './cut/cut-graph.ts';
import { costModel } from './costs.ts';
import type { Costs } from './costs.ts';
import { dependencies } from './groups.ts';
import type { ChannelGroup, Dependencies } from './groups.ts';
import type { Skipped } from '../../base/skipped.ts';
import { isMeasured, scoreChannels } from './importance.ts';
import type { Importance } from './importance.ts';
import { sliceWeights } from './cut/slice.ts';

export interface PruneOptions extends Partial<BudgetOptions> {
  readonly amount: number;
  readonly importance?: Importance;
  /** Importances for `taylor` and `fisher`: [channels] for each group, see `taylorScores`. */
  readonly measure?: MeasureGroups;
}

export type MeasureGroups = (groups: readonly ChannelGroup[]) => Promise<readonly Float64Array[]>;

/** Result for the channels that one or several layers share. */
export interface LayerCut {
  readonly layers: readonly string[];
  readonly before: number;
  readonly after: number;
  readonly by: Importance;
}

export interface PrunedModel {
  readonly network: ModelNetwork;
  readonly weights: State;
  readonly cuts: readonly LayerCut[];
  /** Tensors by the names of weights, such as their masks, cut like the weights. */
  readonly slice: (tensors: State) => State;
  readonly before: Costs;
  readonly after: Costs;
  /** Parts of the amount that could not be removed, with the reason; also in `skipped`. */
  readonly short: readonly Skipped[];
}

const DEFAULTS = { target: 'channels', budget: 'global', multipleOf: 8 } as const;

/**
 * Remove the least important channels of a network, physically: the result is a smaller network of the same layers. `weights`
 * are its weights by state name; the content of its own variables is not read.
 */
export async function pruneChannels(
  network: ModelNetwork,
  weights: State,
  { importance = 'l2', measure, ...given }: PruneOptions,
): Promise<{ result: PrunedModel; skipped: Skipped[] }> {
  const options: BudgetOptions = { ...DEFAULTS, ...given };
  const found = dependencies(network);
  const costsOf = costModel(found);
  const measured = isMeasured(importance) ? await measure?.(found.groups) : undefined;
  const scored = found.groups.map((group, g) =>
    scoreChannels(group, storedBy(found, weights), importance, measured?.[g]),
  );
  const scores = scored.map((group) => group.scores);
  const counts = allot(scores, costsOf, options);
  const result = await cut(network, weights, found, scores, counts);
  const cuts = found.groups.map(({ layers, channels }, g) => {
    return { layers, before: channels, after: counts[g]!, by: scored[g]!.by };
  });
  const before = costsOf(found.groups.map(({ channels }) => channels));
  const after = costsOf(counts);
  const short = shortOf(removedShare(options.whole ?? before, after, options.target), cuts, options);
  return {
    result: { ...result, cuts, before, after, short },
    skipped: [...found.skipped, ...tooNarrow(cuts, options), ...short],
  };
}

/** All tensors that layers compute with: the weights, and the constants of the graph. */
export function storedBy({ graph }: Dependencies, weights: State): State {
  return new Map([...graph.constants, ...weights]);
}

/** The network with `counts[g]` channels left in group g: the channels with the highest scores; of equal scores, the first. */
export async function cut(
  network: ModelNetwork,
  weights: State,
  found: Dependencies,
  scores: readonly Float64Array[],
  counts: readonly number[],
): Promise<Pick<PrunedModel, 'network' | 'weights' | 'slice'>> {
  const keep = scores.map((of, g) => {
    const best = [...of.keys()].sort((a, b) => of[b]! - of[a]! || a - b);
    return best.slice(0, counts[g]).sort((a, b) => a - b);
  });
  const slice = (tensors: State): State => sliceWeights(tensors, found.groups, keep);
  const sliced = slice(weights);
  return { network: await narrowed(network, sliced, found, keep), weights: sliced, slice };
}

async function narrowed(
  network: ModelNetwork,
  weights: State,
  { groups, labels, channelOf }: Dependencies,
  keep: readonly (readonly number[])[],
): Promise<ModelNetwork> {
  if (network.graph === undefined) return network.withWeights(weights);
  const { value, replaced } = network.graph;
  const kept = keep.map((channels) => new Set(channels));
  const isGone = (label: number): boolean => {
    const [group, channel] = channelOf(label) ?? [];
    return group !== undefined && !kept[group]!.has(channel!);
  };
  const constants = sliceWeights(value.constants, groups, keep);
  return replaced(cutGraph(value, labels, isGone, new Map([...constants, ...weights])), weights);
}

function tooNarrow(cuts: readonly LayerCut[], { multipleOf }: BudgetOptions): Skipped[] {
  return cuts
    .filter(({ before }) => before <= multipleFor(before, multipleOf))
    .map(({ layers, before }) => ({
      what: layers.join(', '),
      why: `${before} channels cannot become fewer and stay a multiple of ${multipleFor(before, multipleOf)}`,
    }));
}

/** Rest of the amount that is still missing when every layer is as narrow as it may be. */
function shortOf(reached: number, cuts: readonly LayerCut[], options: BudgetOptions): Skipped[] {
  const { amount, target, multipleOf, budget } = options;
  const most = budget === 'global' ? layerLimit(amount) : 1;
  const exhausted = cuts.every(
    ({ before, after }) => after - multipleFor(before, multipleOf) < Math.max(1, before * (1 - most)),
  );
  if (!exhausted || reached >= amount) return [];
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return [{ what: `${percent(amount - reached)} of the ${target}`, why: `only ${percent(reached)} could be removed` }];
}
