import { RandomStream } from '../../base/random.ts';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { Samples } from '../../compress/quantize/observe.ts';
import { viewOf } from '../../data/batches.ts';
import { npySamples, parseNpy } from '../../data/npy.ts';
import { channelsFirst } from '../../distill/preprocess.ts';
import type { TensorType } from '../../graph/types.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { loadData } from '../data.ts';
import { loadRunnable } from '../runnable.ts';
import type { ConvertOptions } from './options.ts';
import type { ConvertSource } from './source.ts';

const BATCH = 32;

/** What the model is calibrated with and compared on; nothing if nothing is given and nothing is needed. */
export async function samplesFor(source: ConvertSource, options: ConvertOptions): Promise<Samples> {
  const inputs = [...source.graph.inputs];
  const [name, type] = inputs[0]!;
  if (inputs.length > 1)
    throw new UserError(
      `${source.file}: expected a model with one input, received ${inputs.map(([input]) => input).join(', ')}`,
      'Export the model with the image or the features as its only input.',
    );
  const given = options.data;
  if (given?.endsWith('.npy') === true) return inBatches(name, type, await fromNpy(given, type, options.samples));
  const recipe = given === undefined ? source.recipe : await loadRunnable(given);
  if (recipe !== undefined) return inBatches(name, type, await fromRecipe(recipe, source, type, options.samples));
  if (options.precision !== 'int8' && options.precision !== 'int16x8') return [];
  throw new UserError(
    `--precision ${options.precision}: expected samples to calibrate with, received none`,
    'Add --data with a recipe whose data the model is for, or with an .npy array of inputs as the model is fed.',
  );
}

/** Rows of what the model is fed, one after another. */
interface Rows {
  readonly values: Float32Array;
  readonly count: number;
}

async function fromNpy(file: string, { shape }: TensorType, most: number): Promise<Rows> {
  const array = parseNpy(await readBytes(file), file);
  const fits = array.shape.length === shape.length && shape.every((dim, i) => i === 0 || dim === array.shape[i]);
  if (!fits)
    throw new UserError(
      `${file}: expected an array [samples, ${shape.slice(1).join(', ')}], received [${array.shape.join(', ')}]`,
      'Save the inputs as the model is fed: layout, size and normalization included.',
    );
  const count = Math.min(most, array.shape[0]!);
  const each = array.shape.slice(1).reduce((a, b) => a * b, 1);
  return { values: Float32Array.from(npySamples(array).subarray(0, count * each)), count };
}

async function fromRecipe(
  { recipe }: LoadedRecipe,
  { file }: ConvertSource,
  { shape }: TensorType,
  most: number,
): Promise<Rows> {
  const { train } = await loadData(recipe);
  const order = new RandomStream(recipe.seed, 'calibration').permutation(train.count);
  const rows = order.slice(0, Math.min(most, train.count));
  const x = viewOf(train, rows, { seed: 0, view: 0, augment: [] });
  const [sample, wanted] = [train.sampleShape, shape.slice(1)];
  const [h = 0, w = 0, c = 0] = sample;
  if (wanted.join() === sample.join()) return { values: x, count: rows.length };
  if (sample.length === 3 && wanted.join() === [c, h, w].join())
    return { values: channelsFirst(x, rows.length, [h, w, c]), count: rows.length };
  if (wanted.length === 1 && wanted[0] === sample.reduce((a, b) => a * b, 1)) return { values: x, count: rows.length };
  throw new UserError(
    `${file}: its input is [${shape.join(', ')}], received samples of shape [${sample.join(', ')}]`,
    'Name a recipe whose data the model is for (`dataset.resize`, `dataset.channels`), or an .npy array.',
  );
}

function inBatches(name: string, { shape }: TensorType, { values, count }: Rows): Samples {
  const each = values.length / count;
  // A model of a fixed batch size takes no other.
  const size = typeof shape[0] === 'number' ? shape[0] : BATCH;
  const whole = typeof shape[0] === 'number' ? Math.floor(count / size) : Math.ceil(count / size);
  return Array.from({ length: whole }, (_, i) => {
    const data = values.slice(i * size * each, Math.min(count, (i + 1) * size) * each);
    return { [name]: { data, shape: [data.length / each, ...(shape.slice(1) as number[])] } };
  });
}
