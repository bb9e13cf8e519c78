import { needPackages } from '../../base/process/packages.ts';
import { Slot } from '../../base/registry.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { TeacherFileRecipe } from '../../recipe/schema/teacher.ts';
import type { Engine } from '../../runtime/engine.ts';
import { TEACHER_KEYS, teacherFormats } from './format-registry.ts';
import type { TeacherKey } from './format-registry.ts';
import type { FileTeacherSettings, FileTeacherSource } from './file-teacher.ts';
import type { Teacher } from './teacher.ts';

/** A teacher's file, before it is opened. */
interface TeacherFile extends Pick<FileTeacherSource, 'name' | 'dataset' | 'probe'> {
  readonly file: string;
  readonly engine: Engine;
  /** Signature of a SavedModel. */
  readonly signature?: string | undefined;
}

/** Reads a file once: its metadata, and a function that opens it with each preparation to try. */
export type OpenTeacherFile = (source: TeacherFile) => Promise<{
  readonly metadata: ReadonlyMap<string, string>;
  readonly open: (settings: FileTeacherSettings) => Promise<Teacher>;
}>;

/** Loads what runs files of the format, with a recipe's settings. `UserError` if it is missing or broken. */
export type PrepareTeacher = (recipe: Pick<Recipe, 'device' | 'threads'>) => void;

/** Slots of formats of teachers. */
export interface TeacherSlots {
  readonly teacherFile: OpenTeacherFile;
  readonly prepare: PrepareTeacher;
  /** Multiply-accumulates of a file for one sample. */
  readonly macsOfFile: (file: string) => Promise<number>;
}

export const OPEN_FILE = new Slot<OpenTeacherFile>(teacherFormats, 'teacherFile', 'reader');
const PREPARE = new Slot<PrepareTeacher>(teacherFormats, 'prepare', 'preparation');
const MACS = new Slot<TeacherSlots['macsOfFile']>(teacherFormats, 'macsOfFile', 'count of operations');

type Files = Pick<TeacherFileRecipe, TeacherKey>;

/** Key and file of a teacher in another format than ONNX; undefined for another teacher. */
export function otherFormat(recipe: Files): { readonly key: TeacherKey; readonly file: string } | undefined {
  const key = TEACHER_KEYS.find((one) => recipe[one] !== undefined);
  return key && { key, file: recipe[key]! };
}

/** True for a teacher whose layout of inputs is not asked for. */
export function hasOwnLayout(recipe: Files): boolean {
  const other = otherFormat(recipe);
  return other !== undefined && teacherFormats.get(other.key).hasOwnLayout === true;
}

/** Format in reports, and multiply-accumulates for one sample, null if unknown, of a teacher in another format than ONNX. */
export async function formatFigures({
  key,
  file,
}: NonNullable<ReturnType<typeof otherFormat>>): Promise<{ readonly format: string; readonly macs: number | null }> {
  const count = await MACS.loadIfThere(key);
  return { format: teacherFormats.get(key).inReports, macs: (await count?.(file)) ?? null };
}

/** `UserError` if a teacher, or a member of an ensemble, is in a format that is not there, or whose library is not installed. */
export function refuseMissingTeacher(teacher: Recipe['teacher'], from?: string): void {
  for (const { key } of othersOf(teacher)) {
    const { refuseMissing, packages } = teacherFormats.get(key);
    refuseMissing?.();
    if (packages !== undefined) needPackages(`teacher.${key}`, packages, from);
  }
}

/** Loads the libraries that run a recipe's teachers. `UserError` if one is missing or broken. */
export async function prepareTeacher(recipe: Pick<Recipe, 'teacher' | 'device' | 'threads'>): Promise<void> {
  for (const { key } of othersOf(recipe.teacher)) (await PREPARE.loadIfThere(key))?.(recipe);
}

function othersOf(teacher: Recipe['teacher']) {
  return [teacher, ...(teacher?.ensemble ?? [])].flatMap((one) => (one && otherFormat(one)) ?? []);
}
