import path from 'node:path';
import { exists, readBytes } from '../base/files.ts';
import { readOnnx } from '../files/onnx-file.ts';
import type { ModelFile } from '../measure/variants.ts';
import type { ModelRow } from '../report/types.ts';
import { storedRecipe } from './folder.ts';

/**
 * The file of a model of a finished run, called by its id: what the run exported, or the ONNX teacher that its recipe
 * names. Undefined where there is none, or no longer.
 */
export async function modelFileOf(folder: string, { id, model, file }: ModelRow): Promise<ModelFile | undefined> {
  const place = file === null ? await givenTeacher(folder, model) : path.join(folder, file);
  if (place === undefined || !(await exists(place))) return undefined;
  const format = path.extname(place).toLowerCase();
  return { name: id, format, bytes: await (format === '.onnx' ? readOnnx(place) : readBytes(place)) };
}

async function givenTeacher(folder: string, { role }: ModelRow['model']): Promise<string | undefined> {
  return role === 'teacher' ? (await storedRecipe(folder)).recipe.teacher?.onnx : undefined;
}
