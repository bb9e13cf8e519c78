import type { FitContext } from '../context.ts';
import type { ShipContext } from '../../ship/context.ts';
import type { Answers } from './teacher/answer.ts';
import type { ExportedModel } from '../../ship/export.ts';
import type { Shipped, Write } from '../../ship/write.ts';

/** Writes the files that the recipe asks for besides the fp32 ONNX file of every student: TFLite, and both formats with fewer bits. */
export async function shipModel(
  whole: FitContext & ShipContext,
  model: ExportedModel,
  lessons: Answers | undefined,
  write: Write,
): Promise<Shipped> {
  const context = { ...whole, threshold: model.threshold };
  const { recipe } = context;
  const files: ExportedModel[] = [];
  const notes: string[] = [];
  if (recipe.export.includes('tflite')) {
    const [{ tflite }, { finish, makeFile }] = [
      await import('../../ship/tflite-variant.ts'),
      await import('../../ship/write.ts'),
    ];
    const { file, skipped } = await makeFile(context, model, tflite(context, 'fp32', { precision: 'float32' }));
    files.push(await finish(context, file, write));
    notes.push(...skipped);
  }
  const quantized =
    recipe.quantize.length === 0
      ? undefined
      : await (await import('./quantize/quantize-student.ts')).quantizeStudent(context, model, lessons, write);
  files.push(...(quantized?.files ?? []));
  notes.push(...(quantized?.notes ?? []));
  for (const message of notes) context.onEvent({ type: 'message', message });
  return { files, notes, sensitivity: quantized?.sensitivity };
}
