import { stat } from 'node:fs/promises';
import { RandomStream } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import { calibrationBatch } from '../../compress/quantize/observe.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import { chanceOf, PLAIN, viewOf } from '../../data/batches.ts';
import { originalsOf } from '../../data/originals.ts';
import { fedInputs, feedsOf } from '../../distill/teacher-inputs.ts';
import { ownTeacher, preparationMetadata, preparationOf, preparationText } from '../../distill/preparation.ts';
import { affineOf, preprocess } from '../../distill/preprocess.ts';
import { seenAs } from '../../distill/seen.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { taskOf } from '../../tasks/registry.ts';
import { typedAs } from '../../runtime/typed.ts';
import { labelledCount, labelledOf } from '../../data/labelled.ts';
import { loadData } from '../../setup/data.ts';
import type { ClassOutput } from '../parity/compare.ts';
import { loadRunnable } from '../../setup/runnable.ts';
import { arraysFor, BATCH, inBatches } from './arrays.ts';
import { madeUp } from './made-up.ts';
import type { ConvertOptions } from './options.ts';
import type { ConvertSource } from './source.ts';

/** Samples that a model is calibrated with and compared on. */
export interface ConvertSamples {
  readonly batches: readonly Feeds[];
  readonly isMadeUp: boolean;
  /** Output with the scores, for a recipe whose task is classes. */
  readonly classOutput?: ClassOutput;
  /** Labels of the samples and names of the classes, for a recipe whose task is classes. */
  readonly labels?: Int32Array;
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
    const arrays = await arraysFor(given, inputs);
    return {
      batches: inBatches(inputs, arrays, options.samples, calibrationBatch(source.graph, BATCH)),
      isMadeUp: false,
    };
  }
  if (given !== undefined && (await isFolder(given)))
    throw new UserError(
      `--data: expected a recipe (.yaml) or arrays of inputs (.npy, .npz), received the folder ${given}`,
      'Name a recipe whose dataset is `type: image-folder`; `limbeck compress` reads a folder of pictures.',
    );
  const recipe = given === undefined ? source.recipe : await loadRunnable(given);
  if (recipe !== undefined) return fromRecipe(recipe, source, options.samples);
  if (options.precision !== 'int8' && options.precision !== 'int16x8')
    return { batches: madeUp(inputs), isMadeUp: true };
  throw new UserError(
    `--precision ${options.precision}: expected samples to calibrate with, received none`,
    'Add --data with a recipe whose data the model is for, or with arrays of inputs as the model is fed (.npy, or .npz for several inputs).',
  );
}

async function fromRecipe({ recipe }: LoadedRecipe, source: ConvertSource, most: number): Promise<ConvertSamples> {
  const { file, graph } = source;
  const { train: all } = await loadData({ ...recipe, file }, { keepOriginals: true });
  const isLabelled = labelledCount(all) > 0;
  const train = isLabelled ? labelledOf(all) : all;
  const order = new RandomStream(recipe.seed, 'calibration').permutation(train.count);
  const rows = order.slice(0, Math.min(most, train.count));
  const asked = preparationOf(file, await ownTeacher(file, recipe.teacher), source.metadata, train);
  const ends = [...graph.inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const seen = seenAs(train, asked);
  const { form } = seen;
  const fed = fedInputs({ inputs: ends }, file, form, asked);
  const { layout } = fed[0]!.form;
  const x = await seen.bring(viewOf(train, rows, PLAIN), rows.length, originalsOf(train, rows, chanceOf(PLAIN)));
  const prepared = preprocess(x, rows.length, form.sampleShape, { ...affineOf(form, asked.normalize), layout });
  const feeds = Object.entries(feedsOf(fed, prepared, rows.length, form, file));
  const values = new Map(
    feeds.map(([name, { data, shape }]) => [name, { values: typedAs('float32', data) as Float32Array, shape }]),
  );
  const isSaid = asked.from === 'recipe';
  const task = taskOf(train);
  // An embedding is no choice of a class.
  const classOutput = asked.vectors === undefined && task.classes && { classes: task.width, output: asked.output };
  const answersTask =
    asked.vectors === undefined &&
    [...graph.outputs].some(([output, value]) => {
      const { shape } = graph.types.get(value)!;
      return (asked.output ?? output) === output && shape.slice(1).join() === (task.shape ?? [task.width]).join();
    });
  const stated = preparationMetadata(asked, layout, { ...train, ...form }, answersTask);
  return {
    ...{
      batches: inBatches(graph.inputs, values, most, calibrationBatch(graph, BATCH)),
      isMadeUp: false,
    },
    ...(classOutput && {
      ...{ classOutput, classNames: train.classNames },
      ...(isLabelled && { labels: Int32Array.from(rows, (row) => train.targets[row]!) }),
    }),
    preparation: preparationText(asked, form),
    // What the file says of itself stays as it is written there, unless the recipe says otherwise.
    metadata: new Map([...source.metadata, ...[...stated].filter(([key]) => isSaid || !source.metadata.has(key))]),
  };
}
