import { isOfTexts } from '../recipe/data-types.ts';
import { UserError } from '../base/errors.ts';
import { readBytes } from '../base/files.ts';
import { loadAugmentation } from '../data/augment/steps-of.ts';
import type { DatasetConfig, TextConfig, TokenInput } from '../data/config.ts';
import type { Dataset } from '../data/dataset.ts';
import { labelledCount, labelledOf } from '../data/readers/labelled.ts';
import { loadDataset } from '../data/load.ts';
import type { LoadedDataset, DataOptions } from '../data/load.ts';
import type { InputScaling } from '../formats/onnx/input-scaling.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { TeacherRecipe } from '../recipe/schema/teacher.ts';
import { loadTask } from '../tasks/registry.ts';
import { arePictures } from './pictures.ts';
import type { Readers } from './pictures.ts';

/** Reads and splits the data set of a recipe. `UserError` for samples without a label unless a teacher answers for them. */
export async function loadData(
  recipe: Readers,
  { keepOriginals = seesOwnSize(recipe.teacher), ...options }: DataOptions = {},
): Promise<LoadedDataset> {
  const { dataset, teacher, distill } = recipe;
  await loadAugmentation(teacher?.train?.augment);
  if (distill !== undefined && 'strong' in distill) await loadAugmentation(distill.strong);
  // The schema's type equals the parameter's, except that optional keys may be undefined.
  await loadTask(dataset.task);
  const read = await loadDataset(dataset, { keepOriginals, arePictures: () => arePictures(recipe), ...options });
  const data = await asStudentTakes(read, recipe);
  if (teacher === undefined) return { ...data, train: onlyLabelled(data, dataset) };
  if (teacher.train !== undefined && labelledCount(data.train) === 0)
    throw new UserError(
      'teacher.train: expected labels to train a teacher, and no sample of train has one',
      'Name a trained teacher (`teacher.onnx`), or give some samples a label.',
    );
  return data;
}

/** The data without a normalization, if the student's file begins with a scaling of raw samples and the recipe asks for no other. */
async function asStudentTakes(data: LoadedDataset, { dataset, student }: Readers): Promise<LoadedDataset> {
  if (student === undefined || dataset.normalize !== undefined) return data;
  const scaling = await scalingOf(student, data.train.sampleShape.at(-1)!);
  if (scaling === undefined) return data;
  const { rawLike, takesRaw } = await import('../distill/teachers/inputs/own-scaling.ts');
  if (!takesRaw(scaling, data.train)) return data;
  const raw = (split: Dataset): Dataset => ({
    ...split,
    normalization: rawLike(split.normalization),
    usual: split.normalization,
  });
  return { ...data, train: raw(data.train), validation: raw(data.validation), test: data.test && raw(data.test) };
}

/** Scaling that the file of a student, or of its backbone, begins with. */
async function scalingOf(
  { onnx, tfjs, backbone }: NonNullable<Readers['student']>,
  channels: number,
): Promise<InputScaling | undefined> {
  if (tfjs !== undefined) {
    const { loadTfjsModel } = await import('../files/tfjs-file.ts');
    const { tfjsInputScaling } = await import('../files/tfjs/input-scaling.ts');
    return tfjsInputScaling(await loadTfjsModel(tfjs), channels);
  }
  const file = onnx ?? backbone?.onnx;
  if (file === undefined) return undefined;
  const { readOnnx } = await import('../files/onnx-file.ts');
  const { decodeModel } = await import('../formats/onnx/protobuf.ts');
  const { inputScaling } = await import('../formats/onnx/input-scaling.ts');
  return inputScaling(decodeModel(await readOnnx(file), file), channels);
}

function onlyLabelled({ train, unlabelledAt }: LoadedDataset, { unlabelled, labelled }: Recipe['dataset']) {
  if (unlabelledAt !== undefined)
    throw new UserError(
      `${unlabelledAt}: the label is empty, and the recipe has no teacher that answers for the sample`,
      'Remove the sample, give it a label, or name a teacher.',
    );
  if (unlabelled !== undefined || labelled === 0)
    throw new UserError(
      `dataset.${labelled === 0 ? 'labelled: 0' : 'unlabelled'}: expected a teacher that answers for samples without a label, received none`,
      'Name a teacher, or leave it out.',
    );
  return labelledOf(train);
}

/** True if the recipe gives a teacher another picture size than the student's. */
function seesOwnSize(teacher: Recipe['teacher']): boolean {
  const all = teacher === undefined ? [] : [teacher, ...(teacher.ensemble ?? [])];
  return all.some(({ resize, channels }) => resize !== undefined || channels !== undefined);
}

const ALL: readonly TokenInput[] = ['input_ids', 'attention_mask', 'token_type_ids'];

/**
 * Reads the data set of a recipe; for texts also the form that a teacher's file reads: tokens of its own tokenizer, with masks and types. Both are
 * read from the same files and split alike.
 */
export async function loadDataToTeach(
  recipe: Readers,
  options: Pick<DataOptions, 'processes' | 'readers' | 'sample'> = {},
): Promise<LoadedDataset> {
  const data = await loadData(recipe, options);
  const { teacher } = recipe;
  const isFile = teacher !== undefined && teacher.train === undefined && teacher.logits === undefined;
  if (data.train.text === undefined || !isFile) return data;
  const fed = await loadFedData(recipe, teacher, teacher.tfjs !== undefined, options);
  const beside = (split: Dataset, forTeacher: Dataset): Dataset => ({ ...split, forTeacher });
  return {
    ...data,
    train: beside(data.train, fed.train),
    validation: beside(data.validation, fed.validation),
    test: data.test && beside(data.test, fed.test!),
  };
}

/** Reads the data set in the form that a model file takes: for texts all possible inputs, except for a tfjs model, whose single input is ids. */
export async function loadFedData(
  recipe: Readers,
  own: Pick<TeacherRecipe, 'text'> | undefined,
  isTfjs: boolean,
  { columns, processes, readers }: Pick<DataOptions, 'columns' | 'processes' | 'readers'> = {},
): Promise<LoadedDataset> {
  const { dataset } = recipe;
  const asTheyAre = { keepOriginals: true, arePictures: () => arePictures(recipe), columns, processes };
  await loadTask(dataset.task);
  if (!isOfTexts(dataset)) return asStudentTakes(await loadDataset(dataset, asTheyAre), recipe);
  const { text } = dataset as { readonly text?: TextConfig };
  const { buckets, ngrams, ...common } = text ?? {};
  const stated = Object.entries(own?.text ?? {}).filter(([, value]) => value !== undefined);
  const merged: TextConfig = { ...common, ...Object.fromEntries(stated) };
  const hashing = merged.tokenizer === 'hashed' ? { buckets, ngrams } : {};
  const fed = { ...merged, ...hashing, inputs: isTfjs ? undefined : ALL };
  return loadDataset({ ...dataset, text: fed } as DatasetConfig, { processes, readers });
}

/** A note for a student that reads bytes since its recipe names no tokenizer, beside a teacher that has one. */
export function tokenNotes({ dataset, teacher }: Pick<Recipe, 'dataset' | 'teacher'>): string[] {
  const own = (dataset as { readonly text?: TextConfig }).text?.tokenizer;
  const its = teacher?.text?.tokenizer;
  if (!isOfTexts(dataset) || own !== undefined || its === undefined || its === 'bytes') return [];
  return [
    `the student reads texts as bytes, as the recipe names no tokenizer for it, and the teacher as tokens of ${its}; \`dataset.text.tokenizer: ${its}\` gives the student the same tokens, \`bytes\` confirms what it reads`,
  ];
}

/** The tokenizer.json of a recipe's texts; undefined if they need none. `UserError` if the data were read with another. */
export async function recipeTokenizer(
  { dataset }: Pick<Recipe, 'dataset'>,
  { train }: Pick<LoadedDataset, 'train'>,
): Promise<Uint8Array | undefined> {
  if (train.text?.tokenizer !== 'tokenizer.json') return undefined;
  const { text } = dataset as { readonly text: TextConfig };
  const bytes = await readBytes(text.tokenizer!);
  const { refuseOtherFile } = await import('../data/text/open.ts');
  refuseOtherFile(text.tokenizer!, bytes, train.text);
  return bytes;
}
