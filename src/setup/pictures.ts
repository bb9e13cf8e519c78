import type { Recipe } from '../recipe/schema.ts';

/** Recipe and file whose networks decide how an array [a, b] is read. */
export interface Readers extends Pick<Recipe, 'dataset' | 'teacher'>, Partial<Pick<Recipe, 'student' | 'distill'>> {
  /** A further model file that reads the samples. */
  readonly file?: string | undefined;
}

/** Axes of an input of pictures, including the batch. */
const OF_PICTURES = 4;

/**
 * True if any reader of arrays [a, b] takes them for grey pictures, which get a channel axis: a named network for pictures, an augmentation of
 * pictures, a teacher of another size, or a file with an input of four axes. Other readers, such as a recurrent network, then get the rows of the
 * pictures.
 */
export async function arePictures({ dataset, teacher, student, distill, file }: Readers): Promise<boolean> {
  const members = teacher === undefined ? [] : [teacher, ...(teacher.ensemble ?? [])];
  if (members.some(({ resize, channels }) => resize !== undefined || channels !== undefined)) return true;
  const { changesPictures } = await import('../data/augment/augment.ts');
  if ([...(dataset.augment ?? []), ...(teacher?.train?.augment ?? [])].some(changesPictures)) return true;
  const { familyOf } = await import('../networks/models/families.ts');
  const peer = distill !== undefined && 'peer' in distill ? distill.peer : undefined;
  const named = [student, teacher?.train, ...(teacher?.chain ?? []), peer].map((one) => one?.model);
  for (const name of named) if (name !== undefined && (await familyOf(name))?.isOfPictures === true) return true;
  const files = [file, student?.onnx, student?.tfjs, ...members.flatMap((one) => [one.onnx, one.tfjs, one.tflite])];
  for (const one of files) if (one !== undefined && (await takesPictures(one))) return true;
  return false;
}

/** True if a file's only input has four axes. */
async function takesPictures(file: string): Promise<boolean> {
  const shapes = await shapesOfInputs(file);
  return shapes.length === 1 && shapes[0]!.length === OF_PICTURES;
}

/** Shapes of a model file's inputs as far as they are known, with the batch; an open size is no number. */
export async function shapesOfInputs(file: string): Promise<(readonly (number | string | null)[])[]> {
  const { isReadAsOnnx } = await import('../files/as-onnx.ts');
  if (file.endsWith('.json') && !(await isReadAsOnnx(file))) {
    const { loadTfjsModel } = await import('../files/tfjs-file.ts');
    return (await loadTfjsModel(file)).inputs.map(({ shape }) => shape);
  }
  if (file.endsWith('.tflite')) {
    const [{ readTflite }, { modelEnds }] = [
      await import('../formats/tflite/read.ts'),
      await import('../runtime/litert.ts'),
    ];
    const bytes = await (await import('../base/files.ts')).readBytes(file);
    return modelEnds(readTflite(bytes)).inputs.map(({ shape }) => shape);
  }
  const { readOnnx } = await import('../files/onnx-file.ts');
  const { decodeModel } = await import('../formats/onnx/protobuf.ts');
  const { initializers, inputs } = decodeModel(await readOnnx(file), file).graph;
  const stored = new Set(initializers.map(({ name }) => name));
  return inputs.flatMap(({ name, dims }) => (stored.has(name) || dims === undefined ? [] : [dims]));
}
