import type { TaskName } from '../data/config.ts';
import { classification } from './classification.ts';
import { multiLabel } from './multi-label.ts';
import { regression } from './regression.ts';
import { accuracyScore, f1Score, rmseScore } from './score.ts';
import type { Score } from './score.ts';
import type { Task, TaskData } from './task.ts';

const tasks: Readonly<Record<TaskName, (data: TaskData) => Task>> = {
  classification: ({ classNames }) => classification(classNames),
  regression,
  'multi-label': ({ classNames }) => multiLabel(classNames),
};

/** Task of a data set. */
export function taskOf(data: TaskData): Task {
  return tasks[data.task](data);
}

const scores: Readonly<Record<TaskName, Score>> = {
  classification: accuracyScore,
  regression: rmseScore,
  'multi-label': f1Score,
};

/** The score of a task, for whoever has only its name. */
export function scoreOfTask(task: TaskName = 'classification'): Score {
  return scores[task];
}
