import type { FeaturePair, Loss, LossInput, LossOutput } from '../../train/step/loss.ts';

export interface LossArgs {
  /** Options that replace defaults. */
  readonly hyper?: Readonly<Record<string, number>>;
  /** Options of the label part and their defaults, given by the task. Default: those of classification. */
  readonly ofLabels?: Readonly<Record<string, number>>;
  /** Numbers of an answer, and groups of rows of which a loss compares samples, see `LossRows`; for a loss that keeps answers of earlier batches. */
  readonly answers?: { readonly width: number; readonly groups: number } | undefined;
  /** Pairs of inner tensors that a feature loss compares. */
  readonly features?: readonly FeaturePair[];
  /** Seed of the loss' own weights. */
  readonly seed?: number;
  /** The samples of the training split, for a loss that remembers each sample. */
  readonly samples?: TrainingSamples | undefined;
}

export interface TrainingSamples {
  /** [samples] class of each row. */
  readonly labels: Int32Array;
  readonly classes: number;
}

export interface LossDefinition {
  readonly needs: Loss['needs'];
  /** Builds the loss; `name`: name in the registry, `hyper`: all of its options, which are fed at every step. */
  readonly build: (name: string, args: LossArgs & { readonly hyper: Readonly<Record<string, number>> }) => Loss;
}

/** Defines a loss of logits and labels only, without variables of its own. */
export function logitLoss(definition: {
  readonly needs: 'labels' | 'logits';
  readonly reads?: 'strong';
  readonly compute: (input: LossInput) => LossOutput;
}): LossDefinition {
  const { needs, reads, compute } = definition;
  return {
    needs,
    build: (name, { hyper }) => ({ name, needs, hyper, features: [], variables: {}, reads, compute }),
  };
}
