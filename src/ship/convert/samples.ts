import { stat } from 'node:fs/promises';
import { RandomStream } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import { calibrationBatch } from '../../compress/quantize/observe.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import { chanceOf, PLAIN, viewOf } from '../../data/batches/batches.ts';
import type { Dataset } from '../../data/dataset.ts';
import { originalsOf } from '../../data/pictures/originals.ts';
import { fedInputs, feedsOf } from '../../distill/teachers/inputs/teacher-inputs.ts';
import {
  ownTeacher,
  preparationMetadata,
  preparationOf,
  preparationText,
} from '../../distill/teachers/inputs/preparation.ts';
import { preparationAffine, preprocess } from '../../distill/teachers/inputs/preprocess.ts';
import { seenAs } from '../../distill/teachers/inputs/own-pictures.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Graph } from '../../graph/types.ts';
import { taskOf } from '../../tasks/registry.ts';
import { typedAs } from '../../graph/arrays.ts';
import { labelledCount, labelledOf } from '../../data/readers/labelled.ts';
import { loadData } from '../../setup/data.ts';
import type { ClassOutput } from '../parity/compare.ts';
import { loadRunnable } from '../../setup/runnable.ts';
import { BATCH, countOf, inBatches, splitRows } from '../../convert/rows.ts';
import type { Rows, SplitRows } from '../../convert/rows.ts';
import { arraysFor } from './arrays.ts';
import { madeUp } from './made-up.ts';
import type { ConvertOptions } from './options.ts';
import type { ConvertSource } from './source.ts';

/** Samples that a model is calibrated with and compared on. */
export interface ConvertSamples extends SplitRows {
  readonly isMadeUp: boolean;
  /** They go in hop by hop. */
  readonly isStream?: boolean;
  /** Output with the scores, for a recipe whose task is classes. */
  readonly classOutput?: ClassOutput;
  /** Labels of the samples of the check and names of the classes, for a recipe whose task is classes. */
  readonly labels?: Int32Array | undefined;
  readonly classNames?: readonly string[];
  /** Preparation of the inputs by a recipe: as text, and as metadata for the file that is written. */
  readonly preparation?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

async function isFolder(name: string): Promise<boolean> {
  return (await stat(name).catch(() => undefined))?.isDirectory() === true;
}

/** Samples of the data that are given, or made-up inputs where none are given and none are needed. */
export async function samplesFor(source: ConvertSource, options: ConvertOptions): Promise<ConvertSamples> {
  const { inputs } = source.graph;
  const given = options.data;
  if (given !== undefined && /\.np[yz]$/.test(given)) {
    return fromArrays(source.graph, await arraysFor(given, inputs), options);
  }
  if (given !== undefined && (await isFolder(given)))
    throw new UserError(
      `--data: expected a recipe (.yaml) or arrays of inputs (.npy, .npz), received the folder ${given}`,
      'Name a recipe whose dataset is `type: image-folder`; `limbeck compress` reads a folder of pictures.',
    );
  const recipe = given === undefined ? source.recipe : await loadRunnable(given);
  if (recipe !== undefined) return fromRecipe(recipe, source, options);
  if (!isCalibrated(options)) {
    const made = madeUp(inputs);
    return { calibration: made, check: made, folds: [], calibrated: 0, isMadeUp: true };
  }
  throw new UserError(
    `--precision ${options.precision}: expected samples to calibrate with, received none`,
    'Add --data with a recipe whose data the model is for, or with arrays of inputs as the model is fed (.npy, or .npz for several inputs).',
  );
}

const isCalibrated = ({ precision }: ConvertOptions): boolean => precision === 'int8' || precision === 'int16x8';

/** Rows of arrays, split by a draw that depends on nothing but their number. */
function fromArrays(graph: Graph, arrays: ReadonlyMap<string, Rows>, options: ConvertOptions): ConvertSamples {
  const split = { isCalibrated: isCalibrated(options), most: options.samples, random: new RandomStream('calibration') };
  return { ...splitRows(graph, arrays, split), isMadeUp: false };
}

/** Samples of the training split calibrate the file, those of the validation split check it. */
async function fromRecipe(
  { recipe }: LoadedRecipe,
  source: ConvertSource,
  options: ConvertOptions,
): Promise<ConvertSamples> {
  const { file, graph } = source;
  const data = await loadData({ ...recipe, file }, { keepOriginals: true });
  const [train, validation] = [data.train, data.validation].map((split) =>
    labelledCount(split) > 0 ? labelledOf(split) : split,
  ) as [Dataset, Dataset];
  const asked = preparationOf(file, await ownTeacher(file, recipe.teacher), source.metadata, train);
  const ends = [...graph.inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const { form } = seenAs(train, asked);
  const fed = fedInputs({ inputs: ends }, file, form, asked);
  const { layout } = fed[0]!.form;
  const rowsOf = ({ count }: Dataset): Uint32Array =>
    new RandomStream(recipe.seed, 'calibration').permutation(count).slice(0, Math.min(options.samples, count));
  const batchesOf = async (split: Dataset): Promise<Feeds[]> => {
    const rows = rowsOf(split);
    const originals = originalsOf(split, rows, chanceOf(PLAIN));
    const x = await seenAs(split, asked).bring(viewOf(split, rows, PLAIN), rows.length, originals);
    const prepared = preprocess(x, form.sampleShape, {
      ...preparationAffine(form, asked.normalize),
      layout,
    });
    const feeds = Object.entries(feedsOf(fed, prepared, rows.length, form, file));
    const values = new Map(
      feeds.map(([name, { data, shape }]) => [name, { values: typedAs('float32', data) as Float32Array, shape }]),
    );
    const numbers = Array.from({ length: countOf(graph.inputs, values) }, (_, i) => i);
    return inBatches(graph.inputs, values, numbers, calibrationBatch(graph, BATCH));
  };
  const isSaid = asked.from === 'recipe';
  const task = taskOf(train);
  // An embedding is no choice of a class.
  const classOutput = asked.vectors === undefined && task.classes && { classes: task.width, output: asked.output };
  const answersTask =
    asked.vectors === undefined &&
    [...graph.outputs].some(([output, value]) => {
      const { shape } = graph.types.get(value)!;
      return (asked.output ?? output) === output && shape.slice(1).join() === task.fields[0]!.shape.join();
    });
  const stated = preparationMetadata(asked, layout, { ...train, ...form }, answersTask);
  return {
    calibration: isCalibrated(options) ? await batchesOf(train) : [],
    check: await batchesOf(validation),
    folds: [],
    calibrated: isCalibrated(options) ? rowsOf(train).length : 0,
    isMadeUp: false,
    ...(classOutput && {
      classOutput,
      classNames: train.classNames,
      ...(labelledCount(validation) > 0 && {
        labels: Int32Array.from(rowsOf(validation), (row) => validation.targets[row]!),
      }),
    }),
    preparation: preparationText(asked, form),
    // What the file says of itself stays as it is written there, unless the recipe says otherwise.
    metadata: new Map([...source.metadata, ...[...stated].filter(([key]) => isSaid || !source.metadata.has(key))]),
  };
}
