import type * as tf from '@tensorflow/tfjs-core';
import type { Task } from '../../tasks/task.ts';
import type { Partial } from './known.ts';

/** Inputs of a loss for one batch. All are tensors, so that a step can be traced with the loss inside. */
export interface LossInput {
  /** Task, which provides the label part of a loss. */
  readonly task: Pick<Task, 'loss' | 'batchLoss' | 'lossName' | 'divergence' | 'scoreMaps'>;
  /** [rows, classes] logits, or numbers as `Task.forLoss` gives them. A row is a sample, or a part of one: see `Task.rows`. */
  readonly studentLogits: tf.Tensor2D;
  /** [rows, classes]; for classification, labels as distributions: one-hot, or mixed by mixup; rows sum to 1, or to 0 without a label. */
  readonly targets: tf.Tensor2D;
  /** [rows] weight of each row; 1 everywhere unless classes, samples or parts of samples are weighted. */
  readonly weights: tf.Tensor1D;
  /** [batch] weight of each sample, for the parts of a loss that see whole samples; absent if each row is a sample. */
  readonly samples?: tf.Tensor1D | undefined;
  /** Weights of the label part, if samples may lack a label or a teacher's answer; `weights` then weigh the teacher's part. */
  readonly partial?: Partial | undefined;
  /** [rows, classes]; only for losses that need it. */
  readonly teacherLogits?: tf.Tensor2D;
  /** Intermediate tensors by the names that the loss asked for; [batch, ...]. */
  readonly studentFeatures: Readonly<Record<string, tf.Tensor>>;
  readonly teacherFeatures: Readonly<Record<string, tf.Tensor>>;
  /** [batch] row of each sample in the training split; only for losses that read it. */
  readonly rows?: tf.Tensor1D;
  /** Outputs for another, strongly augmented view of the samples, [rows, classes] each; only for losses that read it. */
  readonly strong?: { readonly studentLogits: tf.Tensor2D; readonly teacherLogits: tf.Tensor2D };
  /** Loss options as scalars, e.g. `temperature`: fed, so that they may change during training. */
  readonly hyper: Readonly<Record<string, tf.Scalar>>;
}

export interface LossOutput {
  /** Value that is minimised. */
  readonly loss: tf.Scalar;
  /** Terms of the loss before weighting, for the log. */
  readonly parts: Readonly<Record<string, tf.Scalar>>;
}

/** A pair of intermediate tensors that a feature loss compares. Shapes exclude the batch. */
export interface FeaturePair {
  /** A layer of the student. */
  readonly student: string;
  /** A named intermediate output of the teacher. */
  readonly teacher: string;
  readonly studentShape: readonly number[];
  readonly teacherShape: readonly number[];
}

export interface Loss {
  readonly name: string;
  readonly needs: 'labels' | 'logits' | 'features';
  /** Loss options that are fed at every step, with their initial values. */
  readonly hyper: Readonly<Record<string, number>>;
  /** Pairs of inner tensors that a feature loss compares. */
  readonly features: readonly FeaturePair[];
  /** Further trained variables, such as a regressor, by state name. */
  readonly variables: Readonly<Record<string, tf.Variable>>;
  /** Variables that `compute` updates at each step, such as a memory bank, by state name. Such a loss cannot be computed for a part of a batch. */
  readonly memory?: Readonly<Record<string, tf.Variable>> | undefined;
  /** Further inputs: `rows` of the samples, or a `strong` view of them. Default: none. */
  readonly reads?: 'rows' | 'strong' | undefined;
  /** True if the loss compares samples of a batch with each other: it cannot be computed for a part of a batch. */
  readonly acrossBatch?: boolean;
  readonly compute: (input: LossInput) => LossOutput;
}
