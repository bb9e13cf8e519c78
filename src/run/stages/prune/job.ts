import { RandomStream } from '../../../base/random.ts';
import type { Skipped } from '../../../base/skipped.ts';
import type { LayerCut } from '../../../compress/prune/prune.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import type { State } from '../../../runtime/engine.ts';
import type { ModelNetwork } from '../../../networks/network.ts';
import type { FitContext, StageContext } from '../../context.ts';
import type { FitOptions } from '../../training/options.ts';
import type { Fitted } from '../../../train/training.ts';
import type { LedgerRow } from '../../../folder/states/ledger.ts';
import type { StageFigures } from '../../../base/events.ts';
import type { Answers } from '../teacher/answer.ts';
import { trainStudent } from '../student/train-student.ts';
import { taken } from '../score-as-given.ts';

/** A pruning step of the recipe, and the network that it starts from. */
export interface PruneJob<Step extends Recipe['prune'][number] = Recipe['prune'][number]> {
  readonly context: FitContext;
  readonly step: Step;
  readonly stage: string;
  /** Number of the step, from 0. */
  readonly number: number;
  readonly lessons: Answers | undefined;
  readonly from: Fitted;
  /** Enters the step as done in the ledger. */
  readonly inLedger: (found: {
    readonly figures?: StageFigures;
    readonly notes?: LedgerRow['notes'];
  }) => StageContext['done'];
}

export interface PruneOutcome {
  readonly trained: Fitted;
  readonly figures?: StageFigures;
  readonly notes?: LedgerRow['notes'];
  readonly skipped: readonly Skipped[];
  /** Channels of each layer before and after the step, if it removes channels. */
  readonly cuts?: readonly LayerCut[];
  /** Further sentences for the report. */
  readonly said: readonly string[];
}

/** Outcome of a step that found nothing to remove, and trained nothing. */
export interface Uncut {
  readonly uncut: true;
  readonly skipped: readonly Skipped[];
}

export interface Finetuning extends Pick<FitOptions, 'stage' | 'title' | 'masks'> {
  readonly network: ModelNetwork;
  readonly weights: State;
  readonly done: StageContext['done'];
  /** Round of the step, from 0. */
  readonly round?: number;
}

/** Share of the learning rate of `distill`: a pruned student is near its optimum, and the full rate would undo its training. */
export const FINETUNE_RATE = 0.3;

/** Trains a pruned student further, or only scores it if the recipe grants no epochs. */
export async function finetune(
  { context, step, number, lessons }: PruneJob,
  { stage, title, masks, network, weights, done, round = 0 }: Finetuning,
): Promise<Fitted> {
  const { distill, seed } = context.recipe;
  if (step.finetune.epochs === 0) return taken({ ...context, done }, { stage, title, network, weights });
  const { optimizer } = distill;
  const lower = {
    ...optimizer,
    learningRate: FINETUNE_RATE * optimizer.learningRate,
    schedule: 'cosine' as const,
    warmup: 0,
    finalLearningRate: 0,
  };
  return trainStudent({ ...context, done }, 0, lessons, {
    stage,
    title,
    masks,
    build: () => network.withWeights(weights),
    settings: { ...distill, epochs: step.finetune.epochs, optimizer: step.finetune.optimizer ?? lower },
    // Gives the samples another order than in the earlier training.
    seed: new RandomStream(seed, 'prune', number, ...(round === 0 ? [] : [round])).uint32(),
  });
}
