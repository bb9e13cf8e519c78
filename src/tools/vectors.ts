import { UserError } from '../base/errors.ts';
import { writeWholeFile } from '../base/folders/whole-folder.ts';
import { npyBytes } from '../data/readers/numpy/npy.ts';
import { plainLogits } from '../distill/preflight/preflight.ts';
import { openFile } from '../distill/teachers/open.ts';
import { ownTeacher } from '../distill/teachers/inputs/preparation.ts';
import { requireFiles } from '../folder/inputs.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { DEFAULT_TASK, taskRow } from '../recipe/task.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { loadFedData } from '../setup/data.ts';
import { engineOf } from '../setup/engine.ts';

export interface WrittenVectors {
  readonly file: string;
  readonly samples: number;
  readonly size: number;
}

/**
 * Writes the vectors of length 1 that a model file gives to the samples of a split, as a NumPy array [samples, size] in float32, in the order of the
 * files. The input is prepared as `limbeck evaluate` does. `UserError` for a recipe of another task, and for a split that the data do not have.
 */
export async function writeVectors(
  file: string,
  { recipe }: LoadedRecipe,
  split: 'train' | 'validation' | 'test',
  out: string,
): Promise<WrittenVectors> {
  if (taskRow(recipe.dataset.task).form !== 'vector')
    throw new UserError(
      `${recipe.name}: expected a recipe of the task embedding, received ${recipe.dataset.task ?? DEFAULT_TASK}`,
      'Set `dataset.task: embedding`, and `dataset.dimensions` to the numbers of the vectors.',
    );
  const format = file.endsWith('.json') ? 'tfjs' : file.endsWith('.tflite') ? 'tflite' : 'onnx';
  const own = await ownTeacher(file, recipe.teacher);
  await requireFiles(recipe, ([part, key]) => part === 'dataset' && key !== 'augment');
  const data = await loadFedData({ ...recipe, file }, own && recipe.teacher, format === 'tfjs');
  const dataset = data[split];
  if (dataset === undefined)
    throw new UserError(
      `${recipe.name}: the data set has no test split`,
      'Use --split validation, or set dataset.test.',
    );
  const { teacher: model } = await openFile(
    { layout: 'auto', outputs: 'auto', ...own, onnx: undefined, intermediate: [], precision: 'fp32', [format]: file },
    { engine: engineOf(recipe), session: sessionOptionsOf(recipe), dataset, name: (name) => name },
  );
  const order = Int32Array.from(dataset.ids.keys()).sort((a, b) => dataset.ids[a]! - dataset.ids[b]!);
  const vectors = await plainLogits(model, dataset, order).finally(() => model.dispose());
  await writeWholeFile(out, npyBytes([order.length, model.classes], vectors));
  return { file: out, samples: order.length, size: model.classes };
}
