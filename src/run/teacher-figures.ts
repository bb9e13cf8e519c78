import { formatFigures, otherFormat } from '../distill/teachers/formats.ts';
import { readOnnx } from '../files/onnx-file.ts';
import { describeOnnxLayers } from '../formats/onnx/describe.ts';
import type { Model } from '../formats/onnx/model.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { withInputShapes } from '../formats/onnx/sizes.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import type { TeacherFileRecipe, TeacherRecipe } from '../recipe/schema/teacher.ts';
import { seenTypes } from '../runtime/onnxruntime/value-types.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';

export interface TeacherFigures {
  readonly format: string;
  /** Multiply-accumulates for one sample; null if unknown. */
  readonly macs: number | null;
}

/**
 * Facts for the report about a teacher that is given as files, besides those of the `Teacher` itself. `sample`: shape of a sample as the teacher
 * reads it.
 */
export async function teacherFigures(recipe: TeacherRecipe, sample: readonly number[]): Promise<TeacherFigures> {
  if (recipe.ensemble === undefined) return figuresOf(recipe, sample);
  // Each member may read pictures of another size.
  const members = await Promise.all(recipe.ensemble.map((member) => figuresOf(member, [])));
  const formats = new Set(members.map(({ format }) => format));
  const macs = members.reduce<number | null>(
    (sum, member) => (sum === null || member.macs === null ? null : sum + member.macs),
    0,
  );
  return { format: [...formats].join(', '), macs };
}

type OneFile = Pick<TeacherFileRecipe, 'onnx' | 'tfjs' | 'savedModel' | 'tflite'>;

async function figuresOf(recipe: OneFile, sample: readonly number[]): Promise<TeacherFigures> {
  const other = otherFormat(recipe);
  if (other !== undefined) return formatFigures(other);
  const { onnx } = recipe;
  if (onnx === undefined) throw new Error('the recipe names no file of a teacher');
  return { format: 'onnx', macs: onnxMacs(await readOnnx(onnx), onnx, sample) };
}

/** `sample`: shape of a sample as the teacher reads it. */
function onnxMacs(bytes: OnnxContent, file: string, sample: readonly number[]): number | null {
  const model = decodeModel(bytes, file);
  const { types, fed, problem } = seenTypes(withInputShapes(model, openSizes(model, sample), file), file);
  if (problem !== undefined) return null;
  // The first axis of a teacher's input is the batch, which the file may fix; some detectors take one picture without it.
  const isSingle = sample.length === 3 && fed.size === 1 && [...fed.values()].every(({ dims }) => dims.length === 3);
  const batches = new Set(isSingle ? [1] : [...fed.values()].map(({ dims }) => dims[0] ?? 1));
  const isKnown = batches.size === 1 && [...fed.values()].every(({ open }) => open.every((axis) => axis === 0));
  if (!isKnown) return null;
  return Math.round(describeOnnxLayers(model, types).reduce((sum, layer) => sum + layer.macs, 0) / [...batches][0]!);
}

/** Height and width of a picture [height, width, channels] for two axes that the file leaves open. */
function openSizes({ graph }: Model, sample: readonly number[]): InputShapes {
  const stored = new Set(graph.initializers.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !stored.has(name));
  const [input] = inputs;
  const dims = input?.dims ?? [];
  if (inputs.length !== 1 || dims.length !== 4 || sample.length !== 3) return new Map();
  const open = [1, 2, 3].filter((axis) => typeof dims[axis] !== 'number');
  if (open.length !== 2 || open[1] !== open[0]! + 1) return new Map();
  const size = (axis: number): number => (open.includes(axis) ? sample[axis - open[0]!]! : (dims[axis] as number));
  const batch = typeof dims[0] === 'number' ? dims[0] : 'batch';
  return new Map([[input!.name, [batch, size(1), size(2), size(3)]]]);
}
