import path from 'node:path';
import { readBytes } from '../base/files.ts';
import { asTeacherSees } from '../data/dataset.ts';
import type { Column, Dataset } from '../data/dataset.ts';
import { labelledCount, labelledOf } from '../data/readers/labelled.ts';
import type { LoadedDataset } from '../data/load.ts';
import { isWithoutLabels, scoredByTeacher } from '../distill/answers/scored-by-teacher.ts';
import { taskOf } from '../tasks/registry.ts';
import { taskOfWidth } from '../tasks/task.ts';
import type { EvaluationFigures } from '../tasks/described.ts';
import { againstText } from '../tasks/score.ts';
import { plainLogits, noBetterThanNothing } from '../distill/preflight/preflight.ts';
import { openFile, openTeacher } from '../distill/teachers/open.ts';
import { ownTeacher, preparationText } from '../distill/teachers/inputs/preparation.ts';
import { columnsIn } from '../files/stated.ts';
import type { Preparation } from '../distill/teachers/inputs/preparation.ts';
import { atFile, UserError } from '../base/errors.ts';
import { isReadAsOnnx } from '../files/as-onnx.ts';
import { readOnnx } from '../files/onnx-file.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { readEntries } from '../formats/tflite/metadata/entries.ts';
import { readTflite } from '../formats/tflite/read.ts';
import { usualAnswers } from '../measure/usual-answers.ts';
import type { UsualAnswers } from '../measure/usual-answers.ts';
import { requireFiles } from '../folder/inputs.ts';
import { taskRow } from '../recipe/task.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { loadDataToTeach, loadFedData } from '../setup/data.ts';
import { engineOf } from '../setup/engine.ts';
import { DETECTOR_OUTPUTS } from '../formats/tflite/metadata/mediapipe.ts';
import { endsOfFile } from '../runtime/litert.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { toInt8 } from '../ship/int8-teacher.ts';
import { evaluated } from './evaluated.ts';

export type Split = 'train' | 'validation' | 'test';

export interface EvaluationResult extends EvaluationFigures {
  readonly file: string;
  readonly split: Split;
  readonly samples: number;
  /** Name of the teacher whose answers replace missing labels: the score is agreement with it. */
  readonly labelledBy?: string;
  readonly form: string;
  /** The result in words. */
  readonly said: string;
  /** Preparation of the input, and its source. */
  readonly preparation: string;
  /** Distribution of the answers; undefined for the train split, whose answers are untypical, and for tasks without classes. */
  readonly usual?: UsualAnswers | undefined;
  /** Warnings about its answers, one sentence each. */
  readonly warnings: readonly string[];
}

const ANY = { layout: 'auto', outputs: 'auto' } as const;

/**
 * Scores a model file on a split of a recipe's data. Its input is prepared by the recipe's `teacher` if that names the file, else by the file's
 * metadata, else like the recipe's data. `shapes`: of inputs that an ONNX file leaves open.
 */
export async function evaluateFile(
  file: string,
  { recipe }: LoadedRecipe,
  split: Split,
  shapes: InputShapes = new Map(),
): Promise<EvaluationResult> {
  const isTfjs = file.endsWith('.json') && !(await isReadAsOnnx(file));
  const format = isTfjs ? 'tfjs' : file.endsWith('.tflite') ? 'tflite' : 'onnx';
  if (shapes.size > 0 && format !== 'onnx')
    throw new UserError(`${file}: --shape is for an .onnx file`, 'Leave it out: other files have their sizes.');
  const recipeTeacher = await ownTeacher(file, recipe.teacher);
  // Without augmentation; texts are read with the tokenizer that the recipe gives the file.
  const hasTokenizer = recipeTeacher !== undefined && recipe.teacher?.text?.tokenizer !== undefined;
  await requireFiles(
    recipe,
    ([part, key]) => part === 'dataset' && key !== 'augment' && !(hasTokenizer && key === 'text'),
  );
  // A member of an ensemble reads the ensemble's input.
  const taught = recipeTeacher && recipe.teacher;
  const fed = await loadFedData({ ...recipe, file }, taught, format === 'tfjs', {
    columns: isTfjs ? undefined : await columnsOf(file),
  });
  const data = await scoredData(recipe, fed);
  const { labelledBy } = data;
  const scored = labelledSplit(data, split, recipe.name);
  const other = taskOf(scored).classes === undefined && !isTfjs ? await otherAnswers(file) : undefined;
  if (other !== undefined)
    throw new UserError(
      `${file}: answers with ${other}, which would be read as logits`,
      'Evaluate the file with logits beside it, whose answers these are made of.',
    );
  // The unquantized file, even if the recipe quantizes it for its run.
  const settings = {
    ...ANY,
    ...recipeTeacher,
    onnx: undefined,
    intermediate: [],
    precision: 'fp32' as const,
    [format]: file,
  };
  const options = {
    engine: await engineOf(recipe),
    session: sessionOptionsOf(recipe),
    dataset: scored,
    isStudent: recipeTeacher === undefined,
    shapes,
    name: (name: string) => name,
  };
  const { teacher: model, preparation, alternatives } = await openFile(settings, options);
  // Vectors of a teacher that stand in for labels are compared with vectors of as many numbers.
  const dataset = labelledBy === undefined ? asVectorsOf(scored, model.classes) : scored;
  const task = taskOfWidth(taskOf(dataset), model.classes);
  if (model.classes !== task.width) {
    const each = task.classes === undefined ? 'number' : 'class';
    throw new UserError(
      `${file}: expected ${task.width} outputs, one per ${each} of the data set, received ${model.classes}`,
      `Evaluate it with a recipe of its own data set${dataset.vector ? `: \`dataset.dimensions: ${model.classes}\`` : ''}.`,
    );
  }
  const rows = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const given = await plainLogits(model, dataset, rows);
  refuseNaN(given, file, dataset.count);
  const score = task.scoreOf(given, dataset.targets);
  const by = labelledBy === undefined ? {} : { labelledBy };
  const shared = { file, split, samples: dataset.count, ...by, preparation: preparationText(preparation, dataset) };
  await model.dispose();
  const odd = task.stuck(file, given, dataset.targets);
  const useless =
    task.classes === undefined
      ? await noBetterThanNothing({ name: file }, dataset, { rows, given }, alternatives)
      : undefined;
  const warnings = [...(odd === undefined ? [] : [odd]), ...(useless ? [`${useless.fact}. ${useless.hint}`] : [])];
  const samples = `${dataset.count} ${split} samples`;
  const scoreText =
    labelledBy === undefined ? task.score.said(score, samples) : againstText(task.score, score, labelledBy, samples);
  const { form } = taskRow(task.name);
  const isUsual = split !== 'train' && task.classes !== undefined;
  const usual = isUsual ? usualAnswers(given, task.width, split) : undefined;
  return {
    ...shared,
    form,
    said: scoreText,
    ...evaluated(task, score, given, dataset),
    usual: usual && inOrderOf(preparation, usual, dataset.classNames),
    warnings,
  };
}

/** The data for vectors of this many numbers, with the prefixes that are shorter; data of another task as they are. */
function asVectorsOf(dataset: Dataset, size: number): Dataset {
  const { vector } = dataset;
  if (vector === undefined) return dataset;
  return { ...dataset, vector: { ...vector, size, prefixes: vector.prefixes.filter((prefix) => prefix < size) } };
}

/** Usual answers in the order of the file's own classes, by which they are compared later. */
function inOrderOf(
  { classes: own }: Pick<Preparation, 'classes'>,
  usual: UsualAnswers,
  classes: readonly string[],
): UsualAnswers {
  return own === undefined ? usual : { ...usual, classes: own.map((name) => usual.classes[classes.indexOf(name)]!) };
}

/** `UserError` for NaN answers: all comparisons with them are false, which looks like the first class, or like no label. */
function refuseNaN(given: Float32Array, file: string, samples: number): void {
  const each = given.length / samples;
  const bad = new Set<number>();
  given.forEach((value, i) => {
    if (Number.isNaN(value)) bad.add(Math.floor(i / each));
  });
  if (bad.size === 0) return;
  throw new UserError(
    `${file}: its answers to ${bad.size} of ${samples} samples are NaN, the first of them to sample ${[...bad][0]!}`,
    'Check how its input is prepared (`limbeck inspect` says what the file states), and that its training has not diverged.',
  );
}

/** Columns and words that a file states; rows are then encoded by these instead of train's words. */
async function columnsOf(file: string): Promise<readonly Column[] | undefined> {
  if (!file.endsWith('.tflite')) return columnsIn(decodeModel(await readOnnx(file), file).metadata);
  const bytes = await readBytes(file);
  return columnsIn(atFile(file, () => readEntries(readTflite(bytes), bytes)));
}

/** Answers of a file that a run made with `outputs: probabilities` or `detections`. Probabilities of classes are read as what they are. */
async function otherAnswers(file: string): Promise<string | undefined> {
  const output = file.endsWith('.tflite')
    ? endsOfFile(await readBytes(file), file).outputs[0]?.name
    : decodeModel(await readOnnx(file), file).metadata.get('output');
  if (output === DETECTOR_OUTPUTS.boxes) return 'detections';
  return output === 'probabilities' || output === 'detections' ? output : undefined;
}

/** The data of the recipe; its teacher's answers replace missing labels. */
async function scoredData(recipe: LoadedRecipe['recipe'], data: LoadedDataset): Promise<LoadedDataset> {
  if (!isWithoutLabels(data) || recipe.teacher === undefined) return data;
  await requireFiles(recipe, ([part]) => part === 'teacher');
  const [engine, session] = [await engineOf(recipe), sessionOptionsOf(recipe)];
  const name = (file: string): string => path.basename(file);
  // Split in the same way, in the form that the teacher reads.
  const taught = await loadDataToTeach(recipe);
  const dataset = asTeacherSees(taught.validation);
  const { teacher } = await openTeacher(recipe.teacher, { engine, session, dataset, name, toInt8: toInt8() });
  try {
    const { validation, test, labelledBy } = await scoredByTeacher(taught, teacher);
    const scored = (split: Dataset, { targets, scaling }: Dataset): Dataset => ({
      ...split,
      targets,
      scaling,
      labelled: undefined,
    });
    const results = { validation: scored(data.validation, validation), test: data.test && scored(data.test, test!) };
    return { ...data, ...results, labelledBy };
  } finally {
    await teacher.dispose();
  }
}

/** The samples of a split with a label, or a teacher's answer in its place. */
function labelledSplit(data: LoadedDataset, split: Split, recipe: string): Dataset {
  const dataset = data[split];
  if (dataset === undefined)
    throw new UserError(`${recipe}: the data set has no test split`, 'Use --split validation, or set dataset.test.');
  if (labelledCount(dataset) > 0) return labelledOf(dataset);
  throw new UserError(
    `${recipe}: no sample of the split ${split} has a label`,
    'Use --split validation or --split test, which are scored.',
  );
}
