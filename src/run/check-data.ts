import type { ProposedChange } from '../base/errors.ts';
import type { OnEvent } from '../base/events.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { engineOf, prepareSavedModels } from '../setup/engine.ts';
import { checkModels } from './stages/check/check-models.ts';
import { openAndCheck } from './stages/teacher/teach.ts';

export interface CheckedData {
  readonly data: LoadedDataset;
  /** Facts for the user: the source of a student's initial weights, and the score of a teacher that is given as files. */
  readonly messages: readonly string[];
  readonly warnings: readonly string[];
  /** Changes of the recipe that the warnings ask for. */
  readonly changes: readonly ProposedChange[];
}

/**
 * Checks a recipe without training: reads the data set, builds the models, and asks a teacher that is given as files about some samples. Throws the
 * `UserError` that would stop the run.
 */
export async function checkData(recipe: Recipe): Promise<CheckedData> {
  const data = await loadDataToTeach(recipe);
  const messages: string[] = [];
  const warnings = [...data.warnings];
  const changes: ProposedChange[] = [];
  const onEvent: OnEvent = (event) => {
    if (event.type === 'message') messages.push(event.message);
    if (event.type !== 'warning') return;
    warnings.push(event.message);
    changes.push(...(event.changes ?? []));
  };
  const engine = engineOf(recipe);
  await checkModels({ recipe, data, onEvent });
  if (recipe.teacher === undefined || recipe.teacher.train !== undefined) return { data, messages, warnings, changes };
  prepareSavedModels(recipe);
  const taught = await openAndCheck({ recipe, data, engine, onEvent });
  await taught?.teacher?.dispose();
  return { data, messages, warnings, changes };
}
