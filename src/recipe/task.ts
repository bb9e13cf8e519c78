import { answerForms } from './answer-forms.ts';
import type { TaskRow } from './answer-forms.ts';
import type { LossName } from './schema/loss.ts';

/** Name of a task, such as `classification`; each is of a form of answers. */
export type TaskName = string;

/** Task of a data set that names none. */
export const DEFAULT_TASK: TaskName = 'classification';

/** Names of all tasks. */
export function taskNames(): [TaskName, ...TaskName[]] {
  return answerForms.all().flatMap(({ tasks }) => Object.keys(tasks)) as [TaskName, ...TaskName[]];
}

/** Properties of a task, with the name of the form of its answers. */
export function taskRow(task: TaskName = DEFAULT_TASK): TaskRow & { readonly form: string } {
  for (const { name, tasks } of answerForms.all())
    if (Object.hasOwn(tasks, task)) return { ...tasks[task]!, form: name };
  throw new Error(`no task ${task}`);
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
