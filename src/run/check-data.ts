import type { ProposedChange } from '../base/errors.ts';
import { monotonicMs } from '../base/clock.ts';
import type { Forecast, OnEvent } from '../base/events.ts';
import type { Dataset } from '../data/dataset.ts';
import type { LoadedDataset } from '../data/load.ts';
import { datasetRows } from '../data/readers/labelled.ts';
import { Room } from '../data/storage/memory-budget.ts';
import type { Recipe } from '../recipe/schema.ts';
import { withEpochs } from '../recipe/steps.ts';
import { loadDataToTeach } from '../setup/data.ts';
import { engineOfRun } from '../setup/engine.ts';
import { alone } from '../train/processes.ts';
import { forecast } from './forecast.ts';
import { rehearse } from './stages.ts';
import { checkModels } from './stages/check/check-models.ts';
import { checkStudentAnswers } from './stages/check/student-answers.ts';
import { openAndCheck } from './stages/teacher/given-teacher.ts';

export interface CheckedData {
  readonly data: LoadedDataset;
  /** The same; of splits whose pictures are not all decoded those samples alone that are. */
  readonly seen: LoadedDataset;
  /** Facts for the user: the source of a student's initial weights, and the score of a teacher that is given as files. */
  readonly messages: readonly string[];
  readonly warnings: readonly string[];
  /** Changes of the recipe that the warnings ask for. */
  readonly changes: readonly ProposedChange[];
  readonly forecast?: Forecast;
}

/** Number of pictures of a split that are decoded, and the least of the validation split that a teacher is asked about. */
const [DECODED, LEAST_ASKED] = [1000, 32];

/**
 * Checks a recipe without training: reads the data set, builds the models, and asks a teacher that is given as files about some samples. Throws the
 * `UserError` that would stop the run. `isForecast`: some steps of each training are timed too. `isWhole`: all pictures are decoded, not a sample.
 */
export async function checkData(
  asked: Recipe,
  { isForecast = true, isWhole = false }: { readonly isForecast?: boolean; readonly isWhole?: boolean } = {},
): Promise<CheckedData> {
  const since = monotonicMs();
  const data = await sampledData(asked, isWhole);
  const recipe = withEpochs(asked, data.train.count);
  const seen = { ...data, train: decodedRows(data.train), validation: decodedRows(data.validation) };
  const messages: string[] = [];
  const [decoded, all] = [0, 1].map((i) =>
    [data.train, data.validation, data.test].reduce((sum, split) => sum + countsOf(split)[i]!, 0),
  ) as [number, number];
  if (decoded < all)
    messages.push(
      `decoded ${decoded} of ${all} pictures, and read the headers of the others; --all decodes all, and compares the splits`,
    );
  const warnings = [...data.warnings];
  const changes: ProposedChange[] = [];
  const onEvent: OnEvent = (event) => {
    if (event.type === 'message') messages.push(event.message);
    if (event.type !== 'warning') return;
    warnings.push(event.message);
    changes.push(...(event.changes ?? []));
  };
  const engine = await engineOfRun(recipe);
  await checkModels({ recipe, data, onEvent, processes: alone });
  await checkStudentAnswers({ recipe, data: seen, engine, onEvent });
  const isGiven = recipe.teacher !== undefined && recipe.teacher.train === undefined;
  const taught = isGiven ? await openAndCheck({ recipe, data: seen, engine, onEvent, processes: alone }) : undefined;
  try {
    // A recipe that is about to be changed is checked again.
    if (!isForecast || changes.length > 0) return { data, seen, messages, warnings, changes };
    const foretold = { runs: 1, teachers: 1, finished: [], taken: new Map<string, number>(), since };
    const found = await forecast({ recipe, data, processes: alone }, foretold, (context) => rehearse(context, taught));
    const memoryBytes = found.memoryBytes + bytesToDecode(data);
    return { data, seen, messages, warnings, changes, forecast: { ...found, memoryBytes } };
  } finally {
    await taught?.teacher?.dispose();
  }
}

/** The data set with a sample of its pictures decoded, where no more is needed. */
async function sampledData(recipe: Recipe, isWhole: boolean): Promise<LoadedDataset> {
  // Stored answers are compared with all samples, and samples without labels are joined to those with them.
  const isNeeded = isWhole || recipe.teacher?.logits !== undefined || recipe.dataset.unlabelled !== undefined;
  if (isNeeded) return loadDataToTeach(recipe);
  const data = await loadDataToTeach(recipe, { sample: DECODED });
  // A teacher's vectors are reduced by at least as many samples as they then have numbers.
  const least = Math.max(LEAST_ASKED, data.validation.vector?.size ?? 0);
  const isTooFew = Math.min(...[data.train, data.validation].map((split) => decodedRows(split).count)) < least;
  return data.train.stored?.every !== undefined && isTooFew ? loadDataToTeach(recipe) : data;
}

/** The samples whose own pictures are decoded. */
function decodedRows(dataset: Dataset): Dataset {
  const { every } = dataset.stored ?? {};
  if (every === undefined) return dataset;
  const rows = Array.from({ length: dataset.count }, (_, row) => row).filter((row) => dataset.ids[row]! % every === 0);
  return datasetRows(dataset, Int32Array.from(rows));
}

function countsOf(split: Dataset | undefined): [decoded: number, all: number] {
  return split === undefined ? [0, 0] : [decodedRows(split).count, split.count];
}

/** Memory that a run takes for samples which are not decoded here, unless it leaves them in files. */
function bytesToDecode({ train, validation, test }: LoadedDataset): number {
  const room = new Room();
  return [train, validation, test].reduce((sum, split) => {
    const { every, rowSize, rows } = split?.stored ?? {};
    const bytes = every === undefined ? 0 : rows!.length * rowSize!;
    return room.take(bytes) ? sum + bytes : sum;
  }, 0);
}
