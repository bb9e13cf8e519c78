import path from 'node:path';
import { exists } from '../base/files.ts';
import { readModelFile } from '../files/onnx-file.ts';
import type { TimedFile } from '../measure/latency/variants.ts';
import type { ModelRow } from '../report/types.ts';
import { shapeSeen } from '../distill/teachers/inputs/own-pictures.ts';
import { storedRecipe } from './folder.ts';
import { writtenReport } from './report/finished.ts';
import { ownFile } from './own-file.ts';

/** File of a model of a finished run, named by its id: an export of the run, or the ONNX teacher in its recipe. Undefined if it does not exist. */
export async function modelFileOf(folder: string, { id, model, file }: ModelRow): Promise<TimedFile | undefined> {
  const teacher = file === null && model.role === 'teacher' ? (await storedRecipe(folder)).recipe.teacher : undefined;
  const place = file === null ? teacher?.onnx : await ownFile(folder, file);
  if (place === undefined || !(await exists(place))) return undefined;
  const format = path.extname(place).toLowerCase();
  const bytes = await readModelFile(place);
  const { resize, channels } = teacher ?? {};
  if (resize === undefined && channels === undefined) return { name: id, format, bytes };
  const { sampleShape } = (await writtenReport(folder))?.dataset ?? {};
  return { name: id, format, bytes, ...(sampleShape && { sampleShape: shapeSeen({ resize, channels }, sampleShape) }) };
}
