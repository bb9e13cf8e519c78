import type { OnEvent } from '../base/events.ts';
import type { LoadedDataset } from '../data/load.ts';
import { RunInputs } from '../folder/inputs.ts';
import type { ReadData } from '../folder/inputs.ts';
import type { Recipe } from '../recipe/schema.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { splitsOf } from './together.ts';

interface InputsOptions {
  /** Folder that holds teacher and answers of several runs. */
  readonly shared?: string | undefined;
  readonly isShard?: boolean | undefined;
  readonly onEvent?: OnEvent | undefined;
}

/** What the files of a recipe were when the run in `folder` began, or the first of those that share their teacher with it. */
export function inputsOf(folder: string, recipe: Recipe, options: InputsOptions): Promise<RunInputs> {
  const { shared, isShard, onEvent } = options;
  const warn = (message: string): void => onEvent?.({ type: 'warning', message });
  return RunInputs.open(shared ?? folder, recipe, { isShared: shared !== undefined && isShard, warn });
}

export function readData(data: LoadedDataset): ReadData {
  const splits = [data.train, data.validation, data.test].flatMap((split) => [split, split?.forTeacher]);
  return { hash: () => splitsOf(data), isInFiles: splits.some((split) => split?.stored !== undefined) };
}

/** `UserError` where the files of a run that is finished hold something else by now: its report is not of these. Data are read only if their sizes or times differ. */
export async function requireInputs(folder: string, recipe: Recipe, options: InputsOptions): Promise<void> {
  const inputs = await inputsOf(folder, recipe, options);
  await inputs.checkFiles();
  if (inputs.touchedData.length > 0) inputs.checkData(readData(await loadDataToTeach(recipe)));
}
