import type { Task } from '../../tasks/task.ts';
import type { FeaturePair, Loss, LossInput, LossOutput } from '../../train/step/loss.ts';

export interface LossArgs {
  /** Options that replace defaults. */
  readonly hyper?: Readonly<Record<string, number>>;
  /** Options of the label part and their defaults, given by the task. Default: those of classification. */
  readonly ofLabels?: Readonly<Record<string, number>>;
  /** For losses that keep answers of earlier batches, or a vector for each class. */
  readonly answers?: AnswerSizes | undefined;
  /** Pairs of inner tensors that a feature loss compares. */
  readonly features?: readonly FeaturePair[];
  /** Seed of the loss' own weights. */
  readonly seed?: number;
  /** The samples of the training split, for a loss that remembers each sample. */
  readonly samples?: TrainingSamples | undefined;
}

/** Numbers of an answer, groups of rows of which a loss compares samples, see `LossRows`, and classes that labels name, where answers are vectors. */
export interface AnswerSizes {
  readonly width: number;
  readonly groups: number;
  readonly classes?: number | undefined;
}

/** Sizes of the answers of a task. */
export function answerSizes({ width, rows, labelClasses }: Task): AnswerSizes {
  return { width, groups: rows?.groups ?? 1, classes: labelClasses };
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
