import type { LossName } from './schema/loss.ts';

/** Form of an answer to a sample: one class, numbers by name, any number of labels, a tag for each word, a class for each pixel, boxes, or a vector to search with. */
export const ANSWER_FORMS = ['classes', 'numbers', 'labels', 'tags', 'mask', 'boxes', 'vector'] as const;
export type AnswerFormKind = (typeof ANSWER_FORMS)[number];

/** Scores that a recipe can choose by in place of the score of its task. */
export const CHOSEN_SCORES = ['accuracy', 'roc-auc', 'macro-f1', 'log-loss'] as const;
export type ChosenScore = (typeof CHOSEN_SCORES)[number];

/** Steps of augmentation that mix samples. */
export const MIXES = ['mixup', 'cutmix', 'mosaic'] as const;
type Mix = (typeof MIXES)[number];
const OF_BATCH: readonly Mix[] = ['mixup', 'cutmix'];

/** Answers that files can give besides logits: the class of each pixel, the probability of each class or label, or boxes with scores and labels. */
export const FILE_OUTPUTS = ['classes', 'probabilities', 'detections'] as const;
export type FileOutputs = (typeof FILE_OUTPUTS)[number];

/** Part of a sample that a model answers about: the whole sample, each word of a text, or each cell of a grid (`pixel`) or of several (`point`) over a picture. */
export type AnswersPer = 'sample' | 'word' | 'pixel' | 'point';

/** Properties of a task that recipes and readers of data depend on. */
interface TaskRow {
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
  /** Steps of augmentation that mix samples, whose targets this task can mix too. */
  readonly mixes: readonly Mix[];
  readonly form: AnswerFormKind;
  /** Values of the key `outputs`: what a second file can answer with beside the file with logits. Absent for tasks without such files. */
  readonly outputs?: FileOutputs;
  /** True if a row of the data holds two texts, each of them a sample, and their label. */
  readonly isOfPairs?: true;
  /** Names of the fields of an answer, of which each is an output of a file; default: `logits` alone. */
  readonly fields?: readonly string[];
  /** Default temperature, if not that of the loss. */
  readonly temperature?: number;
  /** Keys of `distill` in a recipe from `limbeck init`. */
  readonly begins: readonly string[];
}

const ALPHA = '# weight of the teacher; the labels weigh 1 - alpha';
const SOFTENS = '# softens teacher and student before they are compared';

/** Losses that compare only logits, of tokens as well as of samples. Without mlld: its relations grow with the square of a batch's rows. */
const OF_LOGITS: readonly LossName[] = [
  ...(['kd', 'kd-standardized', 'dkd', 'dist', 'ttm', 'wttm', 'nkd', 'mse', 'mutual'] as const),
];

/** Losses that compare inner tensors of pictures. */
const OF_FEATURES: readonly LossName[] = [
  ...(['hint', 'pkd', 'cwd', 'vkd', 'rkd', 'sp', 'mgd', 'reviewkd', 'attention'] as const),
];

/** Losses that compare vectors: with the vector of the teacher, or the likenesses between samples. */
const OF_VECTORS: readonly LossName[] = ['cosine', 'mse', 'similarity', 'hint', 'rkd', 'sp'];

const ROWS = {
  classification: {
    ...{ hasClasses: true, isEmptyKnown: false, answersPer: 'sample', losses: 'of classes', loss: 'kd', store: 'fp16' },
    hasNames: true,
    mixes: OF_BATCH,
    form: 'classes',
    outputs: 'probabilities',
    begins: ['loss: kd', `temperature: 4 ${SOFTENS}`, `alpha: 0.9 ${ALPHA}`],
  },
  regression: {
    // Half precision has 11 bits: too few for a label such as 1021.3 hPa.
    ...{
      hasClasses: false,
      isEmptyKnown: false,
      answersPer: 'sample',
      losses: ['mse', 'bounded'],
      loss: 'mse',
      store: 'fp32',
    },
    hasNames: false,
    mixes: OF_BATCH,
    form: 'numbers',
    begins: [
      "loss: mse # beside the teacher's answers; bounded takes the teacher as a bound of the error",
      `alpha: 0.7 ${ALPHA}`,
      '# huber: 1 # errors beyond one deviation count straight, not squared',
    ],
  },
  'multi-label': {
    ...{
      hasClasses: false,
      isEmptyKnown: true,
      answersPer: 'sample',
      losses: ['kd', 'mse'],
      loss: 'kd',
      store: 'fp16',
    },
    hasNames: true,
    mixes: OF_BATCH,
    form: 'labels',
    outputs: 'probabilities',
    begins: ['loss: kd # label by label', `temperature: 1 ${SOFTENS}`, `alpha: 0.5 ${ALPHA}`],
  },
  tagging: {
    ...{ hasClasses: false, isEmptyKnown: false, answersPer: 'word', losses: OF_LOGITS, loss: 'kd', store: 'fp16' },
    hasNames: true,
    mixes: [],
    form: 'tags',
    begins: ['loss: kd # token by token', `temperature: 2 ${SOFTENS}`, `alpha: 0.5 ${ALPHA}`],
  },
  segmentation: {
    ...{ hasClasses: false, isEmptyKnown: false, answersPer: 'pixel', loss: 'kd', store: 'fp16' },
    losses: [...OF_LOGITS, 'cwd-logits', ...OF_FEATURES],
    hasNames: true,
    mixes: [],
    form: 'mask',
    outputs: 'classes',
    begins: ['loss: kd # pixel by pixel', `temperature: 2 ${SOFTENS}`, `alpha: 0.5 ${ALPHA}`],
  },
  detection: {
    ...{ hasClasses: false, isEmptyKnown: true, answersPer: 'point', loss: 'kd', store: 'fp16' },
    losses: ['kd', ...OF_FEATURES, 'frs'],
    hasNames: true,
    mixes: ['mosaic'],
    form: 'boxes',
    outputs: 'detections',
    fields: ['boxes', 'scores'],
    // Scores of single classes, most of them near 0: softened, the many negatives would outweigh what a picture shows.
    temperature: 1,
    begins: ['loss: kd # point by point: class scores and boxes', `temperature: 1 ${SOFTENS}`, `alpha: 0.5 ${ALPHA}`],
  },
  embedding: {
    ...{ hasClasses: true, isEmptyKnown: false, answersPer: 'sample', losses: OF_VECTORS, loss: 'cosine' },
    store: 'fp32',
    hasNames: true,
    mixes: [],
    form: 'vector',
    begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.9 ${ALPHA}`],
  },
  'sentence-similarity': {
    ...{ hasClasses: false, isEmptyKnown: false, answersPer: 'sample', losses: OF_VECTORS, loss: 'cosine' },
    store: 'fp32',
    hasNames: false,
    mixes: [],
    form: 'vector',
    isOfPairs: true,
    begins: ['loss: cosine # of the angle to the vector of the teacher', `alpha: 0.95 ${ALPHA}`],
  },
} as const satisfies Readonly<Record<string, TaskRow>>;

/** Name of a task: a model answers with the class of a sample, with numbers, with any number of labels, with a tag for each word, with a class for each pixel, with boxes, or with a vector. */
export type TaskName = keyof typeof ROWS;
export const TASKS = Object.keys(ROWS) as [TaskName, ...TaskName[]];

/** Task of a data set that names none. */
export const DEFAULT_TASK: TaskName = 'classification';

export function taskRow(task: TaskName = DEFAULT_TASK): TaskRow {
  return ROWS[task];
}

/** Names of the fields of a task's answers. */
export function fieldNames(task: TaskName): readonly string[] {
  return taskRow(task).fields ?? ['logits'];
}

/** Losses only for numbers, only for vectors, only for masks, and only for boxes. */
const OF_OTHERS: ReadonlySet<LossName> = new Set(['bounded', 'cosine', 'similarity', 'cwd-logits', 'frs']);

/** True if a loss suits a task. Most compare classes. */
export function isLossFor(loss: LossName, task: TaskName): boolean {
  const { losses } = taskRow(task);
  return losses === 'of classes' ? !OF_OTHERS.has(loss) : losses.includes(loss);
}
