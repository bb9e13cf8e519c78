import type { TaskName } from '../data/config.ts';
import { classification } from './classification/task.ts';
import { detection } from './detection/task.ts';
import { embedding } from './embedding/task.ts';
import { multiLabel } from './multi-label/task.ts';
import { regression } from './regression/task.ts';
import { sentenceSimilarity } from './similarity/task.ts';
import { segmentation } from './segmentation/task.ts';
import { tagging } from './tagging/task.ts';
import type { Task, TaskData } from './task.ts';

const tasks: Readonly<Record<TaskName, (data: TaskData) => Task>> = {
  classification: ({ classNames, score }) => classification(classNames, score),
  regression,
  'multi-label': ({ classNames }) => multiLabel(classNames),
  segmentation,
  detection,
  embedding,
  'sentence-similarity': sentenceSimilarity,
  tagging: ({ classNames, text }) => tagging(classNames, text!.length),
};

/** Task of a data set. */
export function taskOf(data: TaskData): Task {
  return tasks[data.task](data);
}
