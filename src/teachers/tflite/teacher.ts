import { atFile, UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { OpenTeacherFile } from '../../distill/teachers/formats.ts';
import { rawSamples, takesRaw } from '../../distill/teachers/inputs/own-scaling.ts';
import { tfliteInputScaling } from '../../formats/tflite/input-scaling.ts';
import { readEntries } from '../../formats/tflite/metadata/entries.ts';
import { readTflite } from '../../formats/tflite/read.ts';
import type { TfliteModel } from '../../formats/tflite/types.ts';
import type { TensorData } from '../../graph/types.ts';
import type { ModelValue } from '../../runtime/inference.ts';
import { fromStored, openFastestTflite, toStored } from '../../runtime/litert.ts';
import type { TfliteEnd, TfliteSession } from '../../runtime/litert.ts';
import { typedAs } from '../../graph/arrays.ts';
import { teacherOfFile } from '../../distill/teachers/teacher-of-file.ts';
import type { FileTeacherSettings, FileTeacherSource, Runnable } from '../../distill/teachers/file-teacher.ts';
import type { Teacher } from '../../distill/teachers/teacher.ts';

export interface TfliteSource extends Pick<FileTeacherSource, 'name' | 'dataset' | 'probe'> {
  readonly bytes: Uint8Array;
}

export const teacherFile: OpenTeacherFile = async ({ file, ...source }) => {
  const bytes = await readBytes(file);
  const { dataset } = source;
  const metadata = atFile(file, () => {
    const model = readTflite(bytes);
    const entries = readEntries(model, bytes);
    const isRaw =
      !entries.has('preprocessing') && takesRaw(tfliteInputScaling(model, dataset.sampleShape.at(-1)!), dataset);
    return isRaw ? new Map([...entries, ...rawSamples(dataset)]) : entries;
  });
  return {
    metadata,
    open: (settings) => tfliteTeacher({ ...source, bytes }, settings),
  };
};

/** A TFLite file as a teacher; quantized inputs and outputs are converted from and to real numbers. */
export async function tfliteTeacher(
  { name, bytes, dataset, probe }: TfliteSource,
  settings: FileTeacherSettings,
): Promise<Teacher> {
  if (settings.intermediate.length > 0)
    throw new UserError(
      `${name}: expected no inner tensors of a TFLite file, received ${settings.intermediate.join(', ')}`,
      'Use the ONNX file of the model.',
    );
  const about = { params: parametersOf(readTflite(bytes)), sizeBytes: bytes.length, content: bytes };
  const runtime = runnable(await openFastestTflite(bytes));
  return teacherOfFile({ name, runtime, ...about, dataset, probe }, settings);
}

function runnable(session: TfliteSession): Runnable {
  return {
    inputs: session.inputs.map(asFloat),
    outputs: session.outputs.map(asFloat),
    device: 'cpu',
    run: async (feeds, wanted) => {
      const { shape } = Object.values(feeds)[0]!;
      const fed = session.inputs.map((end) => [end.name, stored(feeds[end.name]!.data, end)] as const);
      const results = await session.run(Object.fromEntries(fed));
      const outputs = session.outputs.filter(({ name }) => wanted.includes(name));
      return Object.fromEntries(
        outputs.map((end) => {
          const sizes = end.shape.map((size) => (size < 0 ? shape[0]! : size));
          return [end.name, { data: fromStored(results[end.name]!, end), shape: sizes }];
        }),
      );
    },
    dispose: () => session.dispose(),
  };
}

/** Quantized integers are fed and read as the real numbers that they encode; other integers, such as ids, are passed unchanged. */
function asFloat({ name, shape, dtype, quantization }: TfliteEnd): ModelValue {
  const type = quantization === undefined ? dtype : 'float32';
  return { name, dtype: type, shape: shape.map((size) => (size < 0 ? '' : size)) };
}

function stored(data: TensorData, end: TfliteEnd): TensorData {
  return end.quantization === undefined ? typedAs(end.dtype, data) : toStored(data as Float32Array, end);
}

function parametersOf({ subgraphs, buffers }: TfliteModel): number {
  return subgraphs
    .flatMap(({ tensors }) => tensors)
    .filter(({ buffer }) => buffers[buffer]?.data !== undefined)
    .reduce((sum, { shape = [] }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
