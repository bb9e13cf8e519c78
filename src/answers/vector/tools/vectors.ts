import { open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { bytesOf, sha256 } from '../../../base/bytes.ts';
import { UserError } from '../../../base/errors.ts';
import { asUserError } from '../../../base/files.ts';
import type { OnProgress } from '../../../base/progress.ts';
import { fingerprint } from '../../../data/dataset.ts';
import { npyHead } from '../../../data/readers/numpy/npy.ts';
import { parquetVectors } from '../../../formats/parquet/vectors.ts';
import type { VectorFile } from '../../../formats/parquet/vectors.ts';
import { plainLogits } from '../../../distill/preflight/preflight.ts';
import { openFile } from '../../../distill/teachers/open.ts';
import { ownTeacher } from '../../../distill/teachers/inputs/preparation.ts';
import { requireFiles } from '../../../folder/inputs.ts';
import type { LoadedRecipe } from '../../../recipe/load.ts';
import { DEFAULT_TASK, taskRow } from '../../../recipe/task.ts';
import { sessionOptionsOf } from '../../../runtime/recipe-options.ts';
import { loadFedData } from '../../../setup/data.ts';
import { engineOf } from '../../../setup/engine.ts';

type Split = 'train' | 'validation' | 'test';

export interface WrittenVectors {
  readonly file: string;
  readonly samples: number;
  readonly size: number;
}

/** Endings of files of vectors. */
const VECTOR_FILES = ['.npy', '.parquet'] as const;

/** Samples whose vectors are written at once. */
const BLOCK = 4096;

/**
 * Writes the vectors of length 1 that a model file gives to the samples of a split, in float32 and in the order of the files: as a NumPy array
 * [samples, size], or in a file that ends in .parquet as the lists of a column `vector`. They are written block by block into a file beside it: after a stop
 * the same call goes on behind the last whole block. The input is prepared as `limbeck evaluate` does. `UserError` for a recipe of another task, for a
 * split that the data do not have, and for a file of another format.
 */
export async function writeVectors(
  file: string,
  { recipe }: LoadedRecipe,
  split: Split,
  out: string,
  { onProgress, block = BLOCK }: { readonly onProgress?: OnProgress; readonly block?: number } = {},
): Promise<WrittenVectors> {
  const written = VECTOR_FILES.find((ending) => out.toLowerCase().endsWith(ending));
  if (written === undefined)
    throw new UserError(
      `--out: expected a file that ends in ${VECTOR_FILES.join(' or ')}, received ${out}`,
      'Name another file.',
    );
  if ((await stat(out).catch(() => undefined))?.isDirectory() === true)
    throw new UserError(`--out: ${out}: expected a file, received a folder`, 'Name a file in it.');
  const { model, data: dataset } = await openVectors(file, recipe, split);
  const order = Int32Array.from(dataset.ids.keys()).sort((a, b) => dataset.ids[a]! - dataset.ids[b]!);
  const size = model.classes;
  // Vectors of another model, of other samples, of another preparation or of other axes go into another file.
  const identity = sha256(model.key, fingerprint(dataset));
  const part = `${out}.${identity.slice(0, 12)}.part`;
  try {
    const form = written === '.parquet' ? parquetVectors(size) : npyVectors(order.length, size);
    const whole = { bytes: form.bytes(block), most: Math.floor(order.length / block) };
    const blocks = await openBlocks(part, form.head, whole);
    try {
      for (let start = blocks.whole * block; start < order.length; start += block) {
        onProgress?.('vectors', start, order.length);
        const rows = order.subarray(start, start + block);
        await blocks.handle.appendFile(form.block(await plainLogits(model, dataset, rows)));
      }
      await blocks.handle.appendFile(form.tail(order.length, block));
      await blocks.handle.sync();
    } finally {
      await blocks.handle.close();
    }
    await rename(part, out);
  } catch (error) {
    throw asUserError(error, out, 'write');
  } finally {
    await model.dispose();
  }
  return { file: out, samples: order.length, size };
}

/**
 * Opens a model file that answers with vectors, and a split of the data of a recipe in the form that it reads. The recipe's teacher answers as in a run; the
 * vectors of any other model have length 1, and are otherwise those of its file. `UserError` for a recipe of another task, and for a split that the data do not
 * have.
 */
export async function openVectors(file: string, recipe: LoadedRecipe['recipe'], split: Split) {
  const { format, own, data, of } = await readToEmbed(file, recipe, split);
  const { teacher } = await openFile(
    { layout: 'auto', outputs: 'auto', ...own, onnx: undefined, intermediate: [], precision: 'fp32', [format]: file },
    // A teacher's vectors have the axes that they have in a run, whatever the split.
    {
      engine: await engineOf(recipe),
      session: sessionOptionsOf(recipe),
      dataset: data.validation,
      isStudent: own === undefined,
      name: (name) => name,
    },
  );
  return { model: teacher, data: of };
}

/** Reads the data for `openVectors`, without the model; `of`: the split. */
export async function readToEmbed(file: string, recipe: LoadedRecipe['recipe'], split: Split) {
  if (taskRow(recipe.dataset.task).form !== 'vector')
    throw new UserError(
      `${recipe.name}: expected a recipe of the task embedding, received ${recipe.dataset.task ?? DEFAULT_TASK}`,
      'Set `dataset.task: embedding`, and `dataset.dimensions` to the numbers of the vectors.',
    );
  const format = file.endsWith('.json') ? 'tfjs' : file.endsWith('.tflite') ? 'tflite' : 'onnx';
  const own = await ownTeacher(file, recipe.teacher);
  await requireFiles(recipe, ([part, key]) => part === 'dataset' && key !== 'augment');
  const data = await loadFedData({ ...recipe, file }, own && recipe.teacher, format === 'tfjs');
  const of = data[split];
  if (of !== undefined) return { format, own, data, of };
  throw new UserError(`${recipe.name}: the data set has no test split`, 'Use --split validation, or set dataset.test.');
}

/** A NumPy array [count, size] in float32. */
function npyVectors(count: number, size: number): VectorFile {
  return {
    head: npyHead([count, size], '<f4'),
    block: bytesOf,
    bytes: (rows) => 4 * size * rows,
    tail: () => new Uint8Array(),
  };
}

/** A file with this head, cut behind its last whole block, and the number of its whole blocks, `most` at most. */
async function openBlocks(
  file: string,
  head: Uint8Array,
  { bytes, most }: { readonly bytes: number; readonly most: number },
): Promise<{ readonly handle: FileHandle; readonly whole: number }> {
  const handle = await open(file, 'a');
  const { size } = await handle.stat();
  const whole = size < head.length ? 0 : Math.min(most, Math.floor((size - head.length) / bytes));
  if (size < head.length) {
    await handle.truncate(0);
    await handle.appendFile(head);
  } else await handle.truncate(head.length + whole * bytes);
  return { handle, whole };
}
