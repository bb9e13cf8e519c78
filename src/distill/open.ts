import { viewOf } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import type { TeacherFileRecipe, TeacherRecipe } from '../recipe/schema/teacher.ts';
import type { Engine } from '../runtime/engine.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { onnxAlternatives } from './alternatives.ts';
import { ensemble } from './ensemble.ts';
import { modelTeacher } from './model-teacher.ts';
import { readOnnx } from './onnx-file.ts';
import { onnxTeacher } from './onnx-teacher.ts';
import type { OnnxTeacherSource } from './onnx-teacher.ts';
import type { Alternative } from './preflight.ts';
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
}

/** The teacher that a recipe names by file; an ensemble opens all of its members. */
export async function openTeacher(recipe: TeacherRecipe, options: OpenOptions): Promise<OpenedTeacher> {
  if (recipe.ensemble === undefined) return openFile(recipe, options);
  const members = [];
  for (const member of recipe.ensemble) {
    members.push({ teacher: (await openFile(member, options)).teacher, weight: member.weight });
  }
  return { teacher: ensemble(members), alternatives: [] };
}

type FileSettings = Omit<TeacherFileRecipe, 'weight'>;

async function openFile(recipe: FileSettings, options: OpenOptions): Promise<OpenedTeacher> {
  const { engine, session, dataset, name } = options;
  if (recipe.tfjs !== undefined) {
    const { outputs, normalize, intermediate: features } = recipe;
    const model = await loadTfjsModel(recipe.tfjs);
    const probe = probeOf(dataset);
    const teacher = await modelTeacher({
      name: name(recipe.tfjs),
      engine,
      model,
      features,
      dataset,
      outputs,
      normalize,
      probe,
    });
    return { teacher, alternatives: [] };
  }
  if (recipe.savedModel !== undefined) {
    const source = { name: name(recipe.savedModel), folder: recipe.savedModel, dataset, probe: probeOf(dataset) };
    return { teacher: await savedModelTeacher(source, recipe), alternatives: [] };
  }
  const file = recipe.onnx;
  if (file === undefined) throw new Error('the recipe names no file of a teacher');
  const source: OnnxTeacherSource = {
    name: name(file),
    bytes: await readOnnx(file),
    dataset,
    session,
    probe: probeOf(dataset),
  };
  return { teacher: await onnxTeacher(source, recipe), alternatives: onnxAlternatives(source, recipe) };
}

const PROBED = 32;

function probeOf(dataset: Dataset): OnnxTeacherSource['probe'] {
  const n = Math.min(PROBED, dataset.count);
  const rows = Int32Array.from({ length: n }, (_, i) => i);
  return { n, x: viewOf(dataset, rows, { seed: 0, view: 0, augment: [] }) };
}
