import type { ScoreData } from '../base/events.ts';
import { Slot } from '../base/registry.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import { taskRow } from '../recipe/task.ts';
import type { TaskName } from '../recipe/task.ts';
import { scoreFrom } from './score.ts';
import type { Score } from './score.ts';
import type { Task, TaskData } from './task.ts';

/** Tasks of a form of answers, by name, each made from a data set. */
export type Tasks = Readonly<Record<string, (data: TaskData) => Task>>;

const TASKS = new Slot<Tasks>(answerForms, 'tasks', 'task');

/** Loads the code of a task, which `taskOf` then finds. */
export async function loadTask(task?: TaskName): Promise<void> {
  await TASKS.load(taskRow(task).form);
}

/** Task of a data set; the code of its task is loaded with the data. */
export function taskOf(data: TaskData): Task {
  return TASKS.of(taskRow(data.task).form)[data.task]!(data);
}

/** Score of a task, or the one that a recipe chooses in its place: by the value of `dataset.score`, or the name that a report has of it. */
export function scoreDataOf(task?: TaskName, name?: string): ScoreData {
  const { score, scores } = taskRow(task);
  return Object.entries(scores ?? {}).find(([key, one]) => name === key || name === one.name)?.[1] ?? score;
}

/** Texts and directions of the score of a task, or of the one that is chosen in its place; see `scoreDataOf`. */
export function scoreOfTask(task?: TaskName, name?: string): Score {
  return scoreFrom(scoreDataOf(task, name));
}
