import { RandomStream } from '../../../base/random.ts';
import type { Skipped } from '../../../base/skipped.ts';
import type { LayerCut } from '../../../compress/prune/prune.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import type { State } from '../../../runtime/engine.ts';
import type { ModelNetwork } from '../../../networks/network.ts';
import type { StageContext } from '../../context.ts';
import type { FitOptions } from '../../training/options.ts';
import type { Fitted } from '../../../train/training.ts';
import type { LedgerRow } from '../../../folder/states/ledger.ts';
import type { StageFigures } from '../../../base/events.ts';
import type { Answers } from '../teacher/answer.ts';
import { trainStudent } from '../student/train-student.ts';
import { taken } from '../score-as-given.ts';

/** Pruning step of the recipe, and the network that it starts from. */
export interface PruneJob<Step extends Recipe['prune'][number] = Recipe['prune'][number]> {
  readonly context: StageContext;
  readonly step: Step;
  readonly stage: string;
  /** Number of the step, from 0. */
  readonly number: number;
  readonly lessons: Answers | undefined;
  readonly from: Fitted;
  /** Row of the ledger that marks the step as done. */
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

/** Share of the learning rate of `distill`: a pruned student is already near its optimum, and the full rate would train it anew. */
export const FINETUNE_RATE = 0.3;

/** Train a pruned student on, or take its score where the recipe wants no training. */
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
    // Another order of the samples than the training before had.
    seed: new RandomStream(seed, 'prune', number, ...(round === 0 ? [] : [round])).uint32(),
  });
}
