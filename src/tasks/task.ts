import type * as tf from '@tensorflow/tfjs-core';
import type { Dataset, TargetValues } from '../data/dataset.ts';
import type { TaskName } from '../data/config.ts';
import type { TensorData, TensorType } from '../graph/types.ts';
import type { Beside, Described } from './described.ts';
import type { Entity } from './tagging/entities.ts';
import type { Score } from './score.ts';

/** Mixture of the targets of samples: `lambda` of the own one, the rest of that at position `partners`. */
export interface Mixed {
  readonly partners: Int32Array;
  readonly lambda: Float32Array;
}

/**
 * `none`: the targets of each sample are fed. `partners`: also positions in the batch, and `lambda`. `soft`: `targets` [batch, width] that
 * are mixed already, for a part of a batch whose partners may be in another.
 */
export type MixKind = 'none' | 'partners' | 'soft';

export type Hyper = Readonly<Record<string, tf.Scalar>>;

/** Rows [rows, classes] that losses of logits compare, where a sample has several: its tokens, say. */
export interface LossRows {
  /** Answers or targets [batch, width] as rows. */
  of(values: tf.Tensor2D): tf.Tensor2D;
  /** Weights of the rows [rows] of samples with weights [batch]; those of a sample's rows sum to its weight. Rows without a label weigh 0. */
  weights(samples: tf.Tensor1D, targets: tf.Tensor2D): tf.Tensor1D;
}

/**
 * Task: the question that a model answers about a sample, and the measure of a good answer. Everything that differs between tasks is here;
 * no other code asks which of them it is. `outputs` and `answers` are what a model gives, [batch, width]: logits, or numbers in the label's
 * units.
 */
export interface Task {
  readonly name: TaskName;
  /** Names of the model's outputs. */
  readonly names: readonly string[];
  /** Numbers that a model answers for each sample. */
  readonly width: number;
  /** Numbers of `Dataset.targets` for each sample. */
  readonly targetWidth: number;
  /** Shape of an answer in a file, without the batch, where it is no row: [length, tags]. Its product is `width`. */
  readonly shape?: readonly number[] | undefined;
  /** Weight of each sample in the loss, where that is not 1: words of a sentence, so that each word weighs the same. */
  weightOf?(targets: TargetValues): Float32Array;
  readonly score: Score;
  /** Classes of which one is right, so that two answers can be compared by the class they give; absent elsewhere. */
  readonly classes?: readonly string[] | undefined;
  /** Meaning of the numbers that a file gives, for its metadata. */
  readonly answers: 'logits' | 'values';
  /** Answers are brought from a mean of 0 and a deviation of 1 to the label's units, as the last step of a network made here. */
  readonly scaling?: { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined;
  /** The loss with the labels, as logs call it. */
  readonly lossName: string;
  /** Numbers of the loss with the labels, fed at every step, from the training section of a recipe. */
  labelNumbers(training: LabelTraining): Record<string, number>;

  /** Types of the feeds that hold the targets. */
  feeds(batchSize: number, mix: MixKind): Record<string, TensorType>;
  /** The feeds themselves; `UserError` for a target that cannot be one. */
  fed(targets: TargetValues, where: string, mix?: Mixed): Record<string, TensorData>;
  /** Targets in the form that a loss takes, [batch, width]. */
  targets(feeds: Readonly<Record<string, tf.Tensor>>, mix: MixKind): tf.Tensor2D;
  /** The targets of mixed samples, [batch, width], as `feeds` has them for `soft`. */
  mixedValues(targets: TargetValues, mix: Mixed): Float32Array;
  /** Answers of a student or a teacher as a loss takes them, [batch, width]: of one size whatever the label's units. */
  forLoss(answers: tf.Tensor2D): tf.Tensor2D;
  /** Rows of a sample, which losses see in place of samples; absent: each sample is a row. */
  readonly rows?: LossRows;
  /** Loss without a teacher, [rows]: the distance of outputs from targets, both [rows, classes] in the form that a loss takes. */
  loss(outputs: tf.Tensor2D, targets: tf.Tensor2D, hyper: Hyper): tf.Tensor1D;
  /** Distance of two answers [rows, classes] at a temperature, [rows]; absent where a temperature means nothing. */
  divergence?(teacher: tf.Tensor2D, student: tf.Tensor2D, temperature: tf.Scalar): tf.Tensor1D;
  /** Sums over a batch that the score follows from, by name; targets and outputs as a loss takes them. */
  sums(outputs: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D): Record<string, tf.Scalar>;
  /** The score of such sums, added up over batches, over the summed weight. */
  scoreOfSums(sums: Readonly<Record<string, number>>, weight: number): number;

  /** The score of answers to samples, all at once. */
  scoreOf(answers: Float32Array, targets: TargetValues): number;
  /** Description of the answers for a report, besides the score. */
  describe(answers: Float32Array, targets: TargetValues, tuning?: Tuning): Described;
  /** One model's answers beside the teacher's. */
  beside(answers: Float32Array, teacher: Float32Array, targets: TargetValues): Beside;
  /** Text of the answer to a sample, e.g. `Coat (93.1 %)`. */
  textOf(answers: Float32Array, row: number, targets: TargetValues): string;
  /** Text of the label of a sample. */
  labelText(targets: TargetValues, row: number): string;
  /** Entities of a sample, by the places of its words that have a tag; absent of tasks without words. */
  readonly entities?: {
    given(answers: Float32Array, row: number, targets: TargetValues): Entity[];
    there(targets: TargetValues, row: number): Entity[];
  };
  /** Size of the disagreement of two models on each sample: 0 where they agree, and more the surer both are. */
  disagreement(answers: Float32Array, others: Float32Array, targets: TargetValues): Float32Array;
  /** The targets of samples that are labelled by these answers. */
  asTargets(answers: Float32Array): TargetValues;
  /** The score of a model that knows nothing of these samples. */
  ignorance(targets: TargetValues): number;
  /** True if answers are worse than other ones to the same samples, by more than chance. */
  isWorse(answers: Float32Array, than: Float32Array, targets: TargetValues): boolean;
  /** Skill of a teacher, beside that of a model that ignores the samples. */
  skill(answers: Float32Array, targets: TargetValues): Skill;
  /**
   * A loud word where a model answers (nearly) the same whatever it is shown; undefined where all is well. `truth`: another model's answers.
   * `why`: the cause, where it is known.
   */
  stuck(name: string, answers: Float32Array, truth: Float32Array | TargetValues, why?: string): string | undefined;
}

/** Keys of a recipe's training that are about the labels. */
interface LabelTraining {
  readonly labelSmoothing: number;
  readonly huber?: number | undefined;
}

interface Skill {
  readonly score: number;
  readonly isBetter: boolean;
  /** Text on the score of a model that ignores the samples, e.g. `the most frequent class alone gives 10.2 %`. */
  readonly chance: string;
}

/** Answers of the same model to the validation split, on which thresholds are chosen. */
interface Tuning {
  readonly answers: Float32Array;
  readonly targets: TargetValues;
}

export type TaskData = Pick<Dataset, 'task' | 'classNames' | 'scaling' | 'text'>;
