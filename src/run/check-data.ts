import type { ProposedChange } from '../base/errors.ts';
import type { Forecast, OnEvent } from '../base/events.ts';
import type { LoadedDataset } from '../data/load.ts';
import type { Recipe } from '../recipe/schema.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { engineOf, prepareSavedModels } from '../setup/engine.ts';
import { forecast } from './forecast.ts';
import { checkModels } from './stages/check/check-models.ts';
import { openAndCheck } from './stages/teacher/teach.ts';

export interface CheckedData {
  readonly data: LoadedDataset;
  /** Facts for the user: the source of a student's initial weights, and the score of a teacher that is given as files. */
  readonly messages: readonly string[];
  readonly warnings: readonly string[];
  /** Changes of the recipe that the warnings ask for. */
  readonly changes: readonly ProposedChange[];
  readonly forecast?: Forecast;
}

/**
 * Checks a recipe without training: reads the data set, builds the models, and asks a teacher that is given as files about some samples. Throws the
 * `UserError` that would stop the run. `isForecast`: some steps of each training are timed too.
 */
export async function checkData(recipe: Recipe, isForecast = true): Promise<CheckedData> {
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
  prepareSavedModels(recipe);
  const isGiven = recipe.teacher !== undefined && recipe.teacher.train === undefined;
  const taught = isGiven ? await openAndCheck({ recipe, data, engine, onEvent }) : undefined;
  try {
    // A recipe that is about to be changed is checked again.
    if (!isForecast || changes.length > 0) return { data, messages, warnings, changes };
    const found = await forecast({ recipe, data, onEvent, signal: undefined }, taught);
    return { data, messages, warnings, changes, forecast: found };
  } finally {
    await taught?.teacher?.dispose();
  }
}
