import path from 'node:path';
import { sha256 } from '../base/bytes.ts';
import type { OnEvent } from '../base/events.ts';
import type { LoadedDataset } from '../data/load.ts';
import { exists } from '../base/files.ts';
import { requireFiles, RunInputs } from '../folder/inputs.ts';
import type { HashOfData } from '../folder/inputs.ts';
import { canonicalJson } from '../recipe/diff.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { namedFiles } from '../recipe/paths.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Collectives } from '../runtime/collectives/collectives.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { splitsOf } from './together.ts';

/** Folder of notes on the files of several runs, and the folder of all that these have made. */
export interface SharedInputs {
  readonly home: string;
  readonly of: string;
}

interface InputsOptions {
  /** Folder that holds teacher and answers of several runs. */
  readonly shared?: string | undefined;
  readonly isShard?: boolean | undefined;
  /** Default: the notes of the run, or of the runs that share their teacher with it. */
  readonly inputs?: SharedInputs | undefined;
  readonly onEvent?: OnEvent | undefined;
  readonly together?: Collectives | undefined;
}

/** Notes that the trials of a sweep share which name the same files and read their data in the same way. */
export function inputsOfSweep(sweep: string, { written }: LoadedRecipe): SharedInputs {
  const { teacher } = written;
  // Samples at the size of a teacher are read with the data.
  const seen = [teacher, ...(teacher?.ensemble ?? [])].map((one) => ({
    ...{ resize: one?.resize ?? null, channels: one?.channels ?? null },
  }));
  const read = { files: namedFiles(written), dataset: written.dataset, text: teacher?.text ?? null, seen };
  return { home: path.join(sweep, 'inputs', sha256(canonicalJson(read)).slice(0, 16)), of: sweep };
}

/**
 * What the files of a recipe were when the run in `folder` began, or the first of those that share their notes with it. Undefined in
 * processes that are compared with the first one, whose equal copies may have other times.
 */
export async function runInputs(
  folder: string,
  recipe: Recipe,
  options: InputsOptions,
): Promise<RunInputs | undefined> {
  const { shared, isShard, inputs, onEvent, together } = options;
  if (together !== undefined && together.rank > 0) return undefined;
  const warn = (message: string): void => onEvent?.({ type: 'warning', message });
  const of = inputs?.of ?? (isShard === true ? shared : undefined);
  return RunInputs.open(inputs?.home ?? shared ?? folder, recipe, { own: folder, of, warn });
}

/** `UserError` for a file of a recipe that is not there before `folder`, that of several runs, is made. What is in one that is there may need it no more. */
export async function requireFilesBefore(folder: string, recipe: Recipe): Promise<void> {
  if (!(await exists(folder))) await requireFiles(recipe);
}

export function hashOfData(data: LoadedDataset): HashOfData {
  return () => splitsOf(data);
}

/**
 * `UserError` where the files of a run that is finished hold something else by now: its report is not of these. Data are read only if their
 * sizes or times differ.
 */
export async function requireInputs(folder: string, recipe: Recipe, options: InputsOptions): Promise<void> {
  const inputs = await runInputs(folder, recipe, options);
  if (inputs === undefined) return;
  await inputs.checkFiles();
  if (inputs.touchedData.length > 0) inputs.checkData(hashOfData(await loadDataToTeach(recipe)));
  // Files of the same content and another time are read once, not at each start. What they were when the run began, old notes alone say.
  if (inputs.areNoted) await inputs.save();
}
