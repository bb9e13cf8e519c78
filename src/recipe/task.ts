import type { LossName } from './schema/loss.ts';

/** What a recipe says of a task. */
interface TaskRow {
  /** Is a label the name of one class? Elsewhere a sample has numbers, or a list. */
  readonly hasClasses: boolean;
  /** The losses that are for it, or all but those that are for another task alone. */
  readonly losses: readonly LossName[] | 'of classes';
  /** What a recipe gets that names none. */
  readonly loss: LossName;
  readonly store: 'fp16' | 'fp32';
  /** Keys of `distill` that `limbeck init` writes. */
  readonly begins: readonly string[];
}

const ALPHA = '# weight of the teacher; the labels weigh 1 - alpha';
const SOFTENS = '# softens teacher and student before they are compared';

const ROWS = {
  classification: {
    ...{ hasClasses: true, losses: 'of classes', loss: 'kd', store: 'fp16' },
    begins: ['loss: kd', `temperature: 4 ${SOFTENS}`, `alpha: 0.9 ${ALPHA}`],
  },
  regression: {
    // Half precision has 11 bits: too few for a label such as 1021.3 hPa.
    ...{ hasClasses: false, losses: ['mse', 'bounded'], loss: 'mse', store: 'fp32' },
    begins: [
      "loss: mse # beside the teacher's answers; bounded takes the teacher as a bound of the error",
      `alpha: 0.7 ${ALPHA}`,
      '# huber: 1 # errors beyond one deviation count straight, not squared',
    ],
  },
  'multi-label': {
    ...{ hasClasses: false, losses: ['kd', 'mse'], loss: 'kd', store: 'fp16' },
    begins: ['loss: kd # label by label', `temperature: 1 ${SOFTENS}`, `alpha: 0.5 ${ALPHA}`],
  },
} as const satisfies Readonly<Record<string, TaskRow>>;

/** What a model is asked about a sample: its class, numbers, or which of several labels it has. */
export type TaskName = keyof typeof ROWS;
export const TASKS = Object.keys(ROWS) as [TaskName, ...TaskName[]];

export function taskRow(task: TaskName = 'classification'): TaskRow {
  return ROWS[task];
}

/** Losses that are for numbers alone. */
const OF_NUMBERS: ReadonlySet<LossName> = new Set(['bounded']);

/** Is a loss for a task? Most compare classes. */
export function isLossFor(loss: LossName, task: TaskName): boolean {
  const { losses } = taskRow(task);
  return losses === 'of classes' ? !OF_NUMBERS.has(loss) : losses.includes(loss);
}
