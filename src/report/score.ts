import type { TaskName } from '../recipe/task.ts';
import { scoreOfTask } from '../tasks/registry.ts';
import type { Score } from '../tasks/score.ts';
import type { ModelRow, Report } from './types.ts';

/** The score that the figures of a report are values of. */
export function scoreOf({ dataset, score }: Pick<Report, 'dataset' | 'score'>): Score {
  return scoreOfTask(dataset.task, score.name);
}

/** The score of a task, or the one that the recipe chooses, as report.json names it. */
export function scoreEntry(task: TaskName, chosen?: string): Report['score'] {
  const { name, unit, better } = scoreOfTask(task, chosen);
  return { name, unit, better };
}

/** Ticks of an axis of scores. */
export function axisText(score: Pick<Score, 'better'>): (value: number) => string {
  return score.better === 'higher'
    ? (value) => `${Number((100 * value).toPrecision(6))} %`
    : (value) => String(Number(value.toPrecision(3)));
}

/** Accuracy of the file on the test split, or on the validation split where there is no other. */
export function fileScore({ score }: ModelRow): number | null {
  return score.test ?? score.validation;
}

/** As `fileScore`, of a model that was trained several times the mean: the first is one draw among them. */
export function rowScore(row: ModelRow): number | null {
  return row.repeats?.mean ?? fileScore(row);
}
