import { inTasks } from './tasks.ts';

/**
 * Answers of tasks of @mediapipe/tasks-vision in Chromium, for models and pictures that lie in a folder: by the name of each model what
 * `tasks-vision.mjs` gives. Undefined where there is no Chromium.
 */
export async function inTasksVision<T>(
  task: 'segment' | 'classify' | 'embed' | 'detect',
  folder: string,
  models: readonly string[],
  pictures: { readonly name: string; readonly size: number },
): Promise<Readonly<Record<string, T>> | undefined> {
  return inTasks('tasks-vision', folder, models, (model) => [task, model, pictures.name, pictures.size]);
}
