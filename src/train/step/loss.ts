import type * as tf from '@tensorflow/tfjs-core';
import type { Task } from '../../tasks/task.ts';
import type { Partial } from './known.ts';

/** Inputs of a loss for one batch. All are tensors, so that a step can be traced with the loss inside. */
export interface LossInput {
  /** Task, which gives the part of a loss that compares with the labels. */
  readonly task: Pick<Task, 'loss' | 'lossName' | 'divergence'>;
  /** [rows, classes] logits, or numbers as `Task.forLoss` gives them. A row is a sample, or a part of one: see `Task.rows`. */
  readonly studentLogits: tf.Tensor2D;
  /** [rows, classes] of classes the labels as distributions: one-hot, or mixed by mixup; rows sum to 1, or to 0 without a label. */
  readonly targets: tf.Tensor2D;
  /** [rows] weight of each row; 1 everywhere unless classes, samples or parts of samples are weighted. */
  readonly weights: tf.Tensor1D;
  /** Weights of the label part, where some samples have no label or no answer of the teacher; `weights` then weigh the teacher's part. */
  readonly partial?: Partial | undefined;
  /** [rows, classes]; only for losses that need it. */
  readonly teacherLogits?: tf.Tensor2D;
  /** Intermediate tensors by the names that the loss asked for; [batch, ...]. */
  readonly studentFeatures: Readonly<Record<string, tf.Tensor>>;
  readonly teacherFeatures: Readonly<Record<string, tf.Tensor>>;
  /** [batch] rows of the training split that the samples are; only for losses that read them. */
  readonly rows?: tf.Tensor1D;
  /** The same samples in another, strongly augmented view, [rows, classes] each; only for losses that read it. */
  readonly strong?: { readonly studentLogits: tf.Tensor2D; readonly teacherLogits: tf.Tensor2D };
  /** The loss' numbers as scalars, e.g. `temperature`: fed, so that they may change during training. */
  readonly hyper: Readonly<Record<string, tf.Scalar>>;
}

export interface LossOutput {
  /** Value that is minimised. */
  readonly loss: tf.Scalar;
  /** Its terms, before they are weighted together, for the log. */
  readonly parts: Readonly<Record<string, tf.Scalar>>;
}

/** A pair of intermediate tensors that a feature loss compares. Shapes are without the batch. */
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
  /** Numbers that are fed at every step, with their values. */
  readonly hyper: Readonly<Record<string, number>>;
  /** Pairs of inner tensors that a feature loss compares. */
  readonly features: readonly FeaturePair[];
  /** Variables of its own that are trained along, e.g. a regressor, by state name. */
  readonly variables: Readonly<Record<string, tf.Variable>>;
  /** Variables that `compute` itself changes at each step, e.g. a memory bank, by state name. Such a loss has no value for a part of a batch. */
  readonly memory?: Readonly<Record<string, tf.Variable>> | undefined;
  /** Further inputs besides samples and answers: `rows` of the samples, or a `strong` view of them. Default: none. */
  readonly reads?: 'rows' | 'strong' | undefined;
  /** True if samples of a batch are compared with each other: then the loss has no value for a part of a batch. */
  readonly acrossBatch?: boolean;
  readonly compute: (input: LossInput) => LossOutput;
}
