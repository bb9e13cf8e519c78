import type { Kernel } from '../../../networks/network.ts';
import { gradualMasks, magnitudeMasks, maskedCounts, patternMasks } from '../../../compress/prune/masks.ts';
import type { Skipped } from '../../../base/skipped.ts';
import type { State } from '../../../runtime/engine.ts';
import { fixedMasks, withMasks } from '../../../train/step/masks.ts';
import type { MaskPlan } from '../../../train/step/masks.ts';
import { finetune } from './job.ts';
import type { PruneJob, PruneOutcome } from './job.ts';
import type { PruneMagnitude, PrunePattern } from '../../../recipe/schema/compress.ts';
import type { Fitted } from '../../../train/training.ts';

/** Makes single weights zero, by magnitude or in a pattern, and trains the others further. */
export async function pruneStepWeights(job: PruneJob<PruneMagnitude | PrunePattern>): Promise<PruneOutcome> {
  const { step, stage, from } = job;
  const { result: targets, skipped } = from.network.kernels();
  const found = step.type === 'n:m' ? patterned(step, from, targets) : gradual(step, from, targets);
  const { plan, final } = found;
  const weights = step.finetune.epochs === 0 ? withMasks(from.weights, final) : from.weights;
  const all = [...skipped, ...found.skipped];
  const { weights: count, zero } = maskedCounts(final);
  const share = (100 * zero) / Math.max(1, count);
  const trained = await finetune(job, {
    stage,
    title: `pruning the student: ${zero} of ${count} weights become zero`,
    network: from.network,
    weights,
    masks: plan,
    done: job.inLedger({ notes: { sparsity: zero / Math.max(1, count), weights: count, zero, skipped: all } }),
  });
  const said = [`${stage}: ${share.toFixed(1)} % of ${count} weights are zero`];
  return { trained: { ...trained, masks: trained.masks ?? final }, skipped: all, said };
}

interface Masks {
  readonly plan: (steps: number) => MaskPlan;
  /** Masks by the weights before training; the masks at the end have as many zeros. */
  readonly final: State;
  readonly skipped: readonly Skipped[];
}

/** Masks whose share of zeros grows during training. */
function gradual(step: PruneMagnitude, from: Fitted, targets: readonly Kernel[]): Masks {
  const names = targets.map(({ name }) => name);
  const { amount: sparsity, budget } = step;
  const plan = (steps: number): MaskPlan => {
    const growing = gradualMasks(names, { sparsity, budget, steps });
    return { ...growing, masksAt: (at, weights) => within(growing.masksAt(at, weights), from.masks) };
  };
  return { plan, final: within(magnitudeMasks(from.weights, names, sparsity, budget), from.masks), skipped: [] };
}

function patterned(step: PrunePattern, from: Fitted, targets: readonly Kernel[]): Masks {
  const [keep, outOf] = step.pattern.split(':').map(Number) as [number, number];
  const { result, skipped } = patternMasks(from.weights, targets, { keep, outOf });
  const masks = within(result, from.masks);
  return { plan: () => fixedMasks(masks), final: masks, skipped };
}

/** Masks that also keep the zeros of earlier steps. */
function within(masks: State, earlier: State = new Map()): State {
  return new Map([...earlier, ...withMasks(masks, earlier)]);
}
