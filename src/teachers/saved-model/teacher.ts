import path from 'node:path';
import { readdir } from 'node:fs/promises';
import { sha256 } from '../../base/bytes.ts';
import { orClose } from '../../base/closing.ts';
import { nearest, UserError } from '../../base/errors.ts';
import { asUserError, readBytes } from '../../base/files.ts';
import { savedModelParameters } from './parameters.ts';
import { SavedModel } from './runtime.ts';
import { teacherOfFile } from '../../distill/teachers/teacher-of-file.ts';
import type { FileTeacherSettings, FileTeacherSource } from '../../distill/teachers/file-teacher.ts';
import type { OpenTeacherFile, PrepareTeacher } from '../../distill/teachers/formats.ts';
import { createTensorFlowEngine } from '../../places/tensorflow/engine.ts';
import type { Teacher } from '../../distill/teachers/teacher.ts';

export interface SavedModelSettings extends FileTeacherSettings {
  /** Signature to call. Default `serving_default`. */
  readonly signature?: string | undefined;
}

export interface SavedModelSource extends Pick<FileTeacherSource, 'name' | 'dataset' | 'probe'> {
  readonly folder: string;
}

/** Loads libtensorflow with the settings of a recipe; `UserError` if it is missing or broken. */
export const prepare: PrepareTeacher = ({ device, threads }) =>
  void createTensorFlowEngine(device === 'cpu' ? 'cpu' : 'auto', threads);

export const teacherFile: OpenTeacherFile = ({ file, signature, ...source }) =>
  Promise.resolve({
    metadata: new Map<string, string>(),
    open: (settings) => savedModelTeacher({ ...source, folder: file }, { ...settings, signature }),
  });

/**
 * A TensorFlow SavedModel as a teacher, run by libtensorflow whatever engine trains the student. Inner tensors are other outputs of its signature.
 * `UserError` if anything does not fit, or libtensorflow is not installed.
 */
export async function savedModelTeacher(
  { name, folder, dataset, probe }: SavedModelSource,
  settings: SavedModelSettings,
): Promise<Teacher> {
  const { signature = 'serving_default' } = settings;
  const runtime = await SavedModel.load(folder, signature);
  const about = await orClose(
    () => {
      refuseUnknown(runtime.outputs, settings.intermediate, { name, signature });
      return contentOf(folder, signature);
    },
    () => runtime.dispose(),
  );
  // TensorFlow's pictures have channels last, even if the signature leaves all sizes open.
  const layout = settings.layout === 'auto' ? 'nhwc' : settings.layout;
  return teacherOfFile({ name, runtime, ...about, dataset, probe }, { ...settings, layout });
}

function refuseUnknown(
  outputs: readonly { readonly name: string }[],
  wanted: readonly string[],
  { name, signature }: { readonly name: string; readonly signature: string },
): void {
  const known = outputs.map((output) => output.name);
  const missing = wanted.find((one) => !known.includes(one));
  if (missing === undefined) return;
  const meant = nearest(missing, known);
  throw new UserError(
    `teacher.intermediate: the signature ${signature} of ${name} has no output ${missing}`,
    meant === undefined ? `It has: ${known.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

/** Content that the answers depend on: graph and variables. */
async function contentOf(
  folder: string,
  signature: string,
): Promise<Pick<FileTeacherSource, 'content' | 'params' | 'sizeBytes'>> {
  const variables = path.join(folder, 'variables');
  const names = await readdir(variables).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw asUserError(error, variables, 'read');
  });
  const files = [path.join(folder, 'saved_model.pb'), ...names.sort().map((file) => path.join(variables, file))];
  const parts = await Promise.all(files.map((file) => readBytes(file)));
  return {
    content: sha256(...parts),
    params: savedModelParameters(parts[0]!, signature),
    sizeBytes: parts.reduce((sum, { length }) => sum + length, 0),
  };
}
