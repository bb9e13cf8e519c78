import type * as tf from '@tensorflow/tfjs-core';
import type { Dataset, Scaling, TargetValues } from '../data/dataset.ts';
import type { TaskName } from '../data/config.ts';
import type { TensorData, TensorType } from '../graph/types.ts';
import type { Beside, Described } from './described.ts';
import type { AnswerField } from './fields.ts';
import type { TargetBox } from '../data/targets/boxes.ts';
import type { Score } from './score.ts';

/** An entity of words `from` to `to` (inclusive). */
export interface Entity {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** A box that a model found, with its sides as shares of the picture's. */
export interface Detection {
  /** Class index. */
  readonly label: number;
  /** Probability. */
  readonly score: number;
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}

/** Mixture of targets: `lambda` of the sample's own, the rest of the sample at position `partners`. */
export interface Mixed {
  readonly partners: Int32Array;
  readonly lambda: Float32Array;
}

/**
 * `none`: the targets of each sample are fed. `partners`: also partners' positions in the batch, and `lambda`. `soft`: `targets` [batch, width] are
 * already mixed, for a part of a batch whose partners may be in another part.
 */
export type MixKind = 'none' | 'partners' | 'soft';

export type Hyper = Readonly<Record<string, tf.Scalar>>;

/** Rows [rows, classes] that losses of logits compare, for tasks with several in a sample, e.g. its tokens. */
export interface LossRows {
  /** Answers [batch, width] as rows, and targets too if they have no form of their own. */
  readonly of: (values: tf.Tensor2D) => tf.Tensor2D;
  /** Targets as rows, which may depend on the answers [batch, width]; no gradient flows through them. Default: as answers. */
  readonly targets?: (targets: tf.Tensor2D, answers: tf.Tensor2D) => tf.Tensor2D;
  /** Number of equal groups of rows, one after another, of which each has a row of every sample: only rows of one group are compared. Default 1. */
  readonly groups?: number;
  /** Weights of the rows, [rows], from weights of the samples, [batch]: a sample's rows sum to its weight. Rows without a label weigh 0. */
  readonly weights: (samples: tf.Tensor1D, targets: tf.Tensor2D) => tf.Tensor1D;
}

/** A second form of answers of a task, in which a teacher may answer; students do not. */
interface TaughtForm {
  /** The task with answers of this form: its fields, its width, and what is said of answers. */
  readonly task: Task;
  /** Students' answers in this form. */
  readonly of: (answers: Float32Array) => Float32Array;
  /** Rows that `divergence` compares with those of students, from a teacher's answers and a student's, [batch, width] each. */
  readonly rows: (taught: tf.Tensor2D, answers: tf.Tensor2D) => tf.Tensor2D;
  readonly divergence: NonNullable<Task['divergence']>;
  /** Weights in the loss of samples without a label, from a teacher's answers. */
  readonly weightOf: (taught: Float32Array) => Float32Array;
}

/**
 * A task: the question that a model answers about a sample, and the measure of a good answer. Everything that differs between tasks is here; no other
 * code asks for the task's name. `outputs` and `answers` are a model's answers, [batch, width]: logits, or numbers in the label's units; see `AnswerField`.
 */
export interface Task {
  readonly name: TaskName;
  /** Names of the model's outputs. */
  readonly names: readonly string[];
  /** Fields of an answer, in the order in which they stand in its row; each is an output of a file. */
  readonly fields: readonly AnswerField[];
  /** Number of elements of an answer: the sum over all fields. */
  readonly width: number;
  /** Number of elements of `Dataset.targets` for each sample. */
  readonly targetWidth: number;
  /** Weight of each sample in the loss, if not 1: the number of words of a sentence, so that each word weighs the same. */
  weightOf?(targets: TargetValues, labelled?: Float32Array): Float32Array;
  readonly score: Score;
  /** Class names if exactly one class is right, so that two answers can be compared by their class; else absent. */
  readonly classes?: readonly string[] | undefined;
  /** Number of classes that labels name, where answers are vectors; absent without labels. */
  readonly labelClasses?: number;
  /** Meaning of the numbers that a file returns, for its metadata. */
  readonly answers: 'logits' | 'values';
  /** Mean and deviation of the labels; the last step of a network built from code scales answers by them. `field`: that of numbers, if not the first. */
  readonly scaling?: (Scaling & { readonly field?: string }) | undefined;
  /** Name of the label loss in logs. */
  readonly lossName: string;
  /** `soft`: trainings feed targets in the form of `mixedValues`, also unmixed ones. Default: targets as they are stored. */
  readonly trainsOn?: 'soft';
  /** True if answers are vectors of length 1; the last step of each network divides its outputs by their length. */
  readonly isUnit?: true;
  /** True if the label loss compares samples of a batch with each other: it cannot be computed for a part of a batch. */
  readonly acrossBatch?: true;
  /** Options of the label loss, fed at every step, from the training section of a recipe. */
  labelNumbers(training: LabelTraining): Record<string, number>;

  /** Types of the feeds that hold the targets. */
  feeds(batchSize: number, mix: MixKind): Record<string, TensorType>;
  /** Feeds of these targets; `UserError` for an invalid target. */
  fed(targets: TargetValues, where: string, mix?: Mixed): Record<string, TensorData>;
  /** Targets in the form of a loss' input, [batch, width]. */
  targets(feeds: Readonly<Record<string, tf.Tensor>>, mix: MixKind): tf.Tensor2D;
  /** Targets of mixed samples, [batch, width], for feeds of the kind `soft`. */
  mixedValues(targets: TargetValues, mix: Mixed): Float32Array;
  /** Answers of a student or teacher as a loss' input, [batch, width], independent of the label's units. */
  forLoss(answers: tf.Tensor2D): tf.Tensor2D;
  /** Conversion of samples to rows, which losses compare; absent: each sample is a row. */
  readonly rows?: LossRows;
  /** Label loss, [rows]; outputs and targets, both [rows, classes], in the form of a loss' input. */
  loss(outputs: tf.Tensor2D, targets: tf.Tensor2D, hyper: Hyper): tf.Tensor1D;
  /** Further part of the label loss, of which rows have no share of their own; `weights` [rows]. Absent for tasks without such a part. */
  batchLoss?(outputs: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D, hyper: Hyper): tf.Scalar | undefined;
  /** Divergence of two answers [rows, classes] at a temperature, [rows]; absent for tasks without a temperature. */
  divergence?(teacher: tf.Tensor2D, student: tf.Tensor2D, temperature: tf.Scalar): tf.Tensor1D;
  /** Largest class probability of rows of answers at each place of each level, [batch, height, width]; absent for tasks without levels. */
  scoreMaps?(rows: tf.Tensor2D): readonly tf.Tensor3D[];
  /** Form of a teacher's answers other than that of students', known by its width; see `taskOfWidth`. */
  readonly taught?: TaughtForm;
  /** Sums over a batch that the score is computed from, by name; targets and outputs in the form of a loss' input. */
  sums(outputs: tf.Tensor2D, targets: tf.Tensor2D, weights: tf.Tensor1D): Record<string, tf.Scalar>;
  /** Score from such sums over batches and the total weight; undefined for a task that `collects`, which has no running score of training. */
  scoreOfSums(sums: Readonly<Record<string, number>>, weight: number): number | undefined;
  /** Score that is no function of sums, from numbers of each sample, which all processes collect in the order of the samples. */
  readonly collects?: Collector;

  /** `UserError` for splits with labels that the score of their recipe is not defined for; absent where there are none. */
  refuseUnscored?(splits: readonly (Dataset | undefined)[]): void;
  /** Score of answers to all samples. */
  scoreOf(answers: Float32Array, targets: TargetValues): number;
  /** Description of the answers for a report, besides the score. */
  describe(answers: Float32Array, targets: TargetValues, tuning?: Tuning): Described;
  /** Comparison of a model's answers with the teacher's. */
  beside(answers: Float32Array, teacher: Float32Array, targets: TargetValues): Beside;
  /** Text of the answer to a sample, such as `Coat (93.1 %)`. */
  textOf(answers: Float32Array, row: number, targets: TargetValues): string;
  /** Text of the label of a sample. */
  labelText(targets: TargetValues, row: number): string;
  /** Entities of a sample, indexed by its words that have a tag; absent for tasks without words. */
  readonly entities?: {
    given(answers: Float32Array, row: number, targets: TargetValues): Entity[];
    there(targets: TargetValues, row: number): Entity[];
  };
  /** Masks of a sample, [height · width] class indexes; absent for tasks without pixels. */
  readonly masks?: {
    readonly size: readonly [height: number, width: number];
    readonly given: (answers: Float32Array, row: number) => ArrayLike<number>;
    readonly there: (targets: TargetValues, row: number) => ArrayLike<number>;
  };
  /** Boxes of a sample, as shares of its picture's width and height; absent for tasks without boxes. */
  readonly boxes?: {
    /** Of at least the score `least`. */
    readonly given: (answers: Float32Array, row: number, least?: number) => readonly Detection[];
    readonly there: (targets: TargetValues, row: number) => readonly TargetBox[];
    /** Overlap above which the worse of two boxes of a class is dropped. */
    readonly overlap: number;
    /** Score with the best F1 over all samples, from which boxes are shown; undefined where no box is right. */
    readonly threshold: (answers: Float32Array, targets: TargetValues) => number | undefined;
  };
  /** Pairs of indexes of `names` that a line joins where they are drawn; absent for tasks without points. */
  readonly skeleton?: readonly (readonly [number, number])[];
  /** Size of the disagreement of two models on each sample: 0 if they agree, larger the surer both are or the more numbers or pixels differ. */
  disagreement(answers: Float32Array, others: Float32Array, targets: TargetValues): Float32Array;
  /** Targets of samples that are labelled by these answers. */
  asTargets(answers: Float32Array): TargetValues;
  /** Score of a model that ignores the samples. */
  ignorance(targets: TargetValues): number;
  /** True if answers are significantly worse than others to the same samples. */
  isWorse(answers: Float32Array, than: Float32Array, targets: TargetValues): boolean;
  /** Skill of a teacher, relative to a model that ignores the samples. */
  skill(answers: Float32Array, targets: TargetValues): Skill;
  /**
   * Warning about a model with nearly constant answers; undefined otherwise. `truth`: labels or another model's answers. `why`: the cause, if known.
   */
  stuck(name: string, answers: Float32Array, truth: Float32Array | TargetValues, why?: string): string | undefined;
}

/** The task for answers of this width, which a teacher may have given in a form of its own. */
export function taskOfWidth(task: Task, width: number): Task {
  return task.taught?.task.width === width ? task.taught.task : task;
}

/** Keys of a recipe's training section about labels. */
interface LabelTraining {
  readonly labelSmoothing?: number;
  readonly huber?: number | undefined;
  readonly dice?: number | undefined;
  readonly arcface?: number | undefined;
  readonly pairLoss?: 'cosent' | 'mse' | undefined;
}

/** A score of all samples together, such as average precision: computed at the end, outside of the graph. */
interface Collector {
  /** Numbers kept of each sample. */
  readonly width: number;
  /** Numbers of samples, [n, width], from their answers [n, answers] and targets. */
  readonly of: (answers: Float32Array, targets: TargetValues) => Float32Array;
  /** Score of all samples, from [all, width]. */
  readonly scoreOf: (collected: Float32Array) => number;
}

interface Skill {
  readonly score: number;
  readonly isBetter: boolean;
  /** Text on the score of a model that ignores the samples, such as `the most frequent class alone gives 10.2 %`. */
  readonly chance: string;
}

/** Answers of the same model to the validation split, on which thresholds are chosen. */
export interface Tuning {
  readonly answers: Float32Array;
  readonly targets: TargetValues;
  /** Score from which boxes are shown, where the model's files state it. */
  readonly threshold?: number | undefined;
}

export type TaskData = Pick<
  Dataset,
  | 'task'
  | 'score'
  | 'classNames'
  | 'scaling'
  | 'text'
  | 'sampleShape'
  | 'stride'
  | 'pixelWeights'
  | 'maxBoxes'
  | 'nms'
  | 'vector'
>;
