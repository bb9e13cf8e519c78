import { readOnnx } from '../files/onnx-file.ts';
import { loadTfjsModel } from '../files/tfjs-file.ts';
import { describeOnnxLayers } from '../formats/onnx/describe.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { macsOf } from '../graph/macs.ts';
import { layersNetwork } from '../networks/layers.ts';
import type { TeacherFileRecipe, TeacherRecipe } from '../recipe/schema/teacher.ts';
import { seenTypes } from '../runtime/seen-types.ts';
import { traceWithBatch } from '../trace/batch.ts';
import { predictionProgram } from '../train/inference.ts';

export interface TeacherFigures {
  readonly format: string;
  /** Multiply-accumulates for one sample; null where they are not known. */
  readonly macs: number | null;
}

/** Figures in the report for a teacher that comes as a file, besides those of the `Teacher` itself. */
export async function teacherFigures(recipe: TeacherRecipe): Promise<TeacherFigures> {
  if (recipe.ensemble === undefined) return figuresOf(recipe);
  const members = await Promise.all(recipe.ensemble.map(figuresOf));
  const formats = new Set(members.map(({ format }) => format));
  const macs = members.reduce<number | null>(
    (sum, member) => (sum === null || member.macs === null ? null : sum + member.macs),
    0,
  );
  return { format: [...formats].join(', '), macs };
}

async function figuresOf({ onnx, tfjs }: Pick<TeacherFileRecipe, 'onnx' | 'tfjs'>): Promise<TeacherFigures> {
  if (onnx !== undefined) return { format: 'onnx', macs: onnxMacs(await readOnnx(onnx), onnx) };
  if (tfjs === undefined) return { format: 'saved-model', macs: null };
  const network = layersNetwork(await loadTfjsModel(tfjs));
  return { format: 'tfjs', macs: macsOf(traceWithBatch((batchSize) => predictionProgram({ network, batchSize }))) };
}

function onnxMacs(bytes: Uint8Array, file: string): number | null {
  const model = decodeModel(bytes, file);
  const { types, problem } = seenTypes(model);
  if (problem !== undefined) return null;
  return describeOnnxLayers(model, types).reduce((sum, layer) => sum + layer.macs, 0);
}
