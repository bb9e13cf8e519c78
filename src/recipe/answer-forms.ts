import type { z } from 'zod';
import type { ScoreData } from '../base/events.ts';
import { Registry } from '../base/registry.ts';
import type { AnswerKeys } from './rule.ts';
import type { LossName } from './schema/loss.ts';

/** Steps of augmentation that mix samples. */
export const MIXES = ['mixup', 'cutmix', 'mosaic'] as const;
type Mix = (typeof MIXES)[number];

/** Scores that a recipe can choose by in place of the score of its task. */
export const CHOSEN_SCORES = ['accuracy', 'roc-auc', 'macro-f1', 'log-loss'] as const;
export type ChosenScore = (typeof CHOSEN_SCORES)[number];

/** Answers that files can give besides logits: the class of each pixel, the probability of each class or label, boxes with scores and labels, or the places of points. */
export const FILE_OUTPUTS = ['classes', 'probabilities', 'detections', 'points'] as const;
export type FileOutputs = (typeof FILE_OUTPUTS)[number];

/** Part of a sample that a model answers about: the whole sample, each word of a text, the token behind each `token` of a text, or each cell of a grid (`pixel`) or of several (`point`) over a picture. */
export type AnswersPer = 'sample' | 'word' | 'token' | 'pixel' | 'point';

/** Properties of a task that recipes and readers of data depend on. */
export interface TaskRow {
  /** True if a label is the name of one class; otherwise it is numbers or a list. */
  readonly hasClasses: boolean;
  /** True if labels are names, even if they consist of digits. */
  readonly hasNames: boolean;
  /** True if an empty list is a label (the sample has none of the labels); otherwise it is a sample without a label. */
  readonly isEmptyKnown: boolean;
  /** The part of a sample that has a label and an answer of its own. */
  readonly answersPer: AnswersPer;
  /** Losses for this task; `of classes`: all except those for another task only. */
  readonly losses: readonly LossName[] | 'of classes';
  /** Default loss. */
  readonly loss: LossName;
  readonly store: 'fp16' | 'fp32';
  readonly score: ScoreData;
  /** Scores that a recipe can choose by, by the values of `dataset.score`; absent where there is no choice. */
  readonly scores?: Readonly<Record<ChosenScore, ScoreData>>;
  /** Steps of augmentation that mix samples, whose targets this task can mix too. */
  readonly mixes: readonly Mix[];
  /** Values of the key `outputs`: what a second file can answer with beside the file with logits. Absent for tasks without such files. */
  readonly outputs?: FileOutputs;
  /** True if a row of the data holds two texts, each of them a sample, and their label. */
  readonly isOfPairs?: true;
  /** True if a recipe chooses how many numbers an answer has. */
  readonly hasChosenWidth?: true;
  /** True if a model without a head answers the task: its embeddings are answers, and stand in for labels that the data lack. */
  readonly isHeadless?: true;
  /** Words for what compares the samples of a batch with each other when labels teach; absent where each sample is learned by itself. */
  readonly labelsCompare?: string;
  /** Names of the fields of an answer, of which each is an output of a file; default: `logits` alone. */
  readonly fields?: readonly string[];
  /** Default temperature, if not that of the loss. */
  readonly temperature?: number;
  /** Keys of `distill` in a recipe from `limbeck init`. */
  readonly begins: readonly string[];
  /** Keys of `dataset` in a recipe from `limbeck init`. */
  readonly beginsData?: readonly string[];
  /** True if a student in a recipe from `limbeck init` reads the tokens of its teacher. */
  readonly sharesTokens?: true;
}

/** Losses that compare only logits, of tokens as well as of samples. Without mlld: its relations grow with the square of a batch's rows. */
export const LOSSES_OF_LOGITS: readonly LossName[] = [
  'kd',
  'kd-standardized',
  'dkd',
  'dist',
  'ttm',
  'wttm',
  'nkd',
  'mse',
  'mutual',
];

/** Losses that compare inner tensors of pictures. */
export const LOSSES_OF_FEATURES: readonly LossName[] = [
  'hint',
  'pkd',
  'cwd',
  'vkd',
  'rkd',
  'sp',
  'mgd',
  'reviewkd',
  'attention',
];

/** Comments that `limbeck init` writes behind keys of `distill`. */
export const BEGINS = {
  alpha: '# weight of the teacher; the labels weigh 1 - alpha',
  softens: '# softens teacher and student before they are compared',
};

/** What recipes and readers of data know of a form of answers: its tasks, and the keys that these read. */
export interface AnswerRow {
  readonly name: string;
  /** Words for one answer and for several. */
  readonly words: readonly [one: string, several: string];
  /**
   * Key of the names in the metadata of a file; only of `labels` does a reader take the largest answer. Absent where answers have no names, as the
   * numbers of a vector.
   */
  readonly namesKey?: 'labels' | 'targets';
  /** Text that says how many answers a model chooses among or gives, with their names; default: as `namedAnswers`. */
  readonly answersText?: (count: number, names: readonly string[]) => string;
  /**
   * Key of the names of the answers in what a server states of a model, by which readers tell the form; absent for the form of models with no such key.
   * `logits`: whether answers are logits, where several forms share the key. `isNameless`: the key has `true` in place of names.
   */
  readonly told?: { readonly key: string; readonly logits?: boolean; readonly isNameless?: true };
  /** Tasks whose answers have this form, by name. */
  readonly tasks: Readonly<Record<string, TaskRow>>;
  readonly keys: readonly AnswerKeys[];
}

/**
 * Forms of answers to a sample, such as one class, numbers by name, any number of labels, a tag for each word, a class for each pixel, boxes, or a vector
 * to search with.
 */
export const answerForms = new Registry<AnswerRow>('form of answer');

/** Text on the number of answers, with the first names: `3 to predict (cat, dog, fox)`. */
export function namedAnswers(count: number, names: readonly string[]): string {
  const some = names.length <= 8 ? names : [...names.slice(0, 8), '…'];
  return `${count} to predict (${some.join(', ')})`;
}

type Optional<T> = z.ZodOptional<z.ZodType<T, T>>;

/** Types of the keys that forms of answers add to parts of a recipe, as far as code that hands them on reads them. */
interface AnswerKeyTypes {
  readonly dataset: {
    readonly score: Optional<ChosenScore>;
    readonly stride: Optional<number>;
    readonly dimensions: Optional<number>;
    readonly prefixes: Optional<number[]>;
    readonly centred: Optional<boolean>;
    readonly perClass: Optional<number>;
  };
  readonly training: {
    readonly labelSmoothing: z.ZodDefault<z.ZodType<number, number>>;
    readonly huber: Optional<number>;
    readonly dice: Optional<number>;
    readonly arcface: Optional<number>;
    readonly pairLoss: Optional<'cosent' | 'mse'>;
  };
  readonly teacher: { readonly minAccuracy: Optional<number> };
  readonly distill: { readonly leaveOut: Optional<{ classes: string[]; correctBias: boolean }> };
  readonly 'distill.softTargets': { readonly top: Optional<number> };
}

/** Keys of a part of a recipe that forms of answers add to it. */
export function keysOfAnswers<Part extends keyof AnswerKeyTypes>(part: Part): AnswerKeyTypes[Part] {
  const keys = answerForms.all().flatMap((row) => row.keys);
  return Object.assign({}, ...keys.map((of) => of.keys[part])) as AnswerKeyTypes[Part];
}
