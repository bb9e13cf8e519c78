import { viewOf } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { layersNetwork } from '../networks/layers.ts';
import type { TeacherFileRecipe, TeacherRecipe } from '../recipe/schema/teacher.ts';
import type { Engine } from '../runtime/engine.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { alternativesOf } from './alternatives.ts';
import type { Alternative } from './diagnosis.ts';
import { ensemble } from './ensemble.ts';
import type { FileTeacherSettings } from './file-teacher.ts';
import { modelTeacher } from './model-teacher.ts';
import { readOnnx } from './onnx-file.ts';
import { onnxTeacher } from './onnx-teacher.ts';
import type { OnnxTeacherSource } from './onnx-teacher.ts';
import { savedModelTeacher } from './saved-model-teacher.ts';
import { loadTfjsModel } from './tfjs-file.ts';
import type { Teacher } from './teacher.ts';

export interface OpenOptions {
  readonly engine: Engine;
  readonly session: SessionOptions;
  /** The validation split: shape and normalization of samples, and some to look at. */
  readonly dataset: Dataset;
  readonly name: (file: string) => string;
}

export interface OpenedTeacher {
  readonly teacher: Teacher;
  readonly alternatives: readonly Alternative[];
  /** The order of its classes, where the recipe gives one. */
  readonly declared?: readonly string[] | undefined;
  /** What an ensemble is made of: a good member hides a bad one. */
  readonly members?: readonly OpenedTeacher[];
}

/** The teacher that a recipe names by file; an ensemble opens all of its members. */
export async function openTeacher(recipe: TeacherRecipe, options: OpenOptions): Promise<OpenedTeacher> {
  if (recipe.ensemble === undefined) return openFile(recipe, options);
  const members = [];
  for (const { weight, ...member } of recipe.ensemble) {
    members.push({ ...(await openFile(member, options)), weight });
  }
  return { teacher: ensemble(members), alternatives: [], members };
}

type FileSettings = Omit<TeacherFileRecipe, 'weight' | 'normalize'> & Pick<FileTeacherSettings, 'normalize'>;

async function openFile(recipe: FileSettings, options: OpenOptions): Promise<OpenedTeacher> {
  const { dataset } = options;
  const open = await opener(recipe, options);
  const layout = recipe.tfjs === undefined ? { layout: recipe.layout } : {};
  const alternatives = alternativesOf(dataset, { ...layout, normalize: recipe.normalize }, (change) =>
    open({ ...recipe, ...change }),
  );
  return { teacher: await open(recipe), alternatives, declared: recipe.classes };
}

/** Reads the file once, for every way that it may be asked in. */
async function opener(
  recipe: FileSettings,
  { engine, session, dataset, name }: OpenOptions,
): Promise<(settings: FileSettings) => Promise<Teacher>> {
  const probe = probeOf(dataset);
  if (recipe.tfjs !== undefined) {
    const source = {
      name: name(recipe.tfjs),
      engine,
      network: layersNetwork(await loadTfjsModel(recipe.tfjs)),
      dataset,
      probe,
    };
    return ({ outputs, normalize, classes, intermediate: features }) =>
      modelTeacher({ ...source, features, outputs, normalize, classes });
  }
  if (recipe.savedModel !== undefined) {
    const source = { name: name(recipe.savedModel), folder: recipe.savedModel, dataset, probe };
    return (settings) => savedModelTeacher(source, settings);
  }
  if (recipe.onnx === undefined) throw new Error('the recipe names no file of a teacher');
  const source = { name: name(recipe.onnx), bytes: await readOnnx(recipe.onnx), dataset, session, probe };
  return (settings) => onnxTeacher(source, settings);
}

const PROBED = 32;

function probeOf(dataset: Dataset): OnnxTeacherSource['probe'] {
  const n = Math.min(PROBED, dataset.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  return { n, x: viewOf(dataset, rows, { seed: 0, view: 0, augment: [] }) };
}
