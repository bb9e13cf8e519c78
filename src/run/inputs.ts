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
import { loadDataToTeach } from '../setup/data.ts';
import type { Processes } from '../train/processes.ts';
import { splitsOf } from './hashes.ts';

/** Notes on the input files that several runs share. */
export interface SharedInputs {
  readonly home: string;
  readonly of: string;
}

interface InputsOptions {
  /** Folder that holds teacher and answers of several runs. */
  readonly shared?: string | undefined;
  readonly isShard?: boolean | undefined;
  /** Default: the notes of the run itself, or of the runs that share their teacher with it. */
  readonly inputs?: SharedInputs | undefined;
  readonly onEvent?: OnEvent | undefined;
  readonly processes?: Pick<Processes, 'rank'> | undefined;
}

/** Notes shared by the trials of a sweep that name the same files and read their data in the same way. */
export function inputsOfSweep(sweep: string, { written }: LoadedRecipe): SharedInputs {
  const { teacher } = written;
  // Samples at the teacher's size are read together with the data.
  const seen = [teacher, ...(teacher?.ensemble ?? [])].map((one) => ({
    resize: one?.resize ?? null,
    channels: one?.channels ?? null,
  }));
  const read = { files: namedFiles(written), dataset: written.dataset, text: teacher?.text ?? null, seen };
  return { home: path.join(sweep, 'inputs', sha256(canonicalJson(read)).slice(0, 16)), of: sweep };
}

/**
 * The recipe's input files as they were when the run in `folder` began, or the first of the runs that share notes with it. Undefined in processes of
 * rank above 0: their data are compared with rank 0 instead, because equal copies of a file may have other times.
 */
export async function runInputs(
  folder: string,
  recipe: Recipe,
  options: InputsOptions,
): Promise<RunInputs | undefined> {
  const { shared, isShard, inputs, onEvent, processes } = options;
  if (processes !== undefined && processes.rank > 0) return undefined;
  const warn = (message: string): void => onEvent?.({ type: 'warning', message });
  const sharedFolder = inputs?.of ?? (isShard === true ? shared : undefined);
  return RunInputs.open(inputs?.home ?? shared ?? folder, recipe, { own: folder, of: sharedFolder, warn });
}

/**
 * Checks that the recipe's files exist, unless `folder`, which several runs share, already does: then the results in it may make the files
 * unnecessary.
 */
export async function requireFilesBefore(folder: string, recipe: Recipe): Promise<void> {
  if (!(await exists(folder))) await requireFiles(recipe);
}

export function hashOfData(data: LoadedDataset): HashOfData {
  return () => splitsOf(data);
}

/** `UserError` if files of a finished run have changed since: its report does not describe them. Reads the data only if sizes or times differ. */
export async function requireInputs(folder: string, recipe: Recipe, options: InputsOptions): Promise<void> {
  const inputs = await runInputs(folder, recipe, options);
  if (inputs === undefined) return;
  await inputs.checkFiles();
  if (inputs.touchedData.length > 0) inputs.checkData(hashOfData(await loadDataToTeach(recipe)));
  // Notes the new times of files with the same content, so that the next start need not read them. Without old notes nothing is known about the files
  // at the beginning.
  if (inputs.areNoted) await inputs.save();
}
