import { UserError } from '../base/errors.ts';
import { readTflite } from '../formats/tflite/read.ts';
import type { TfliteModel } from '../formats/tflite/types.ts';
import type { ModelValue } from '../runtime/inference.ts';
import { fromStored, openFastestTflite, toStored } from '../runtime/litert.ts';
import type { End, TfliteSession } from '../runtime/litert.ts';
import { fileTeacher } from './file-teacher.ts';
import type { FileTeacherSettings, FileTeacherSource, Runnable } from './file-teacher.ts';
import type { Teacher } from './teacher.ts';

export interface TfliteSource extends Pick<FileTeacherSource, 'name' | 'dataset' | 'probe'> {
  readonly bytes: Uint8Array;
}

/** A TFLite file that answers as a teacher does; integers at its ends are fed and read as the numbers that they stand for. */
export async function tfliteTeacher(
  { name, bytes, dataset, probe }: TfliteSource,
  settings: FileTeacherSettings,
): Promise<Teacher> {
  if (settings.intermediate.length > 0)
    throw new UserError(
      `${name}: expected no inner tensors of a TFLite file, received ${settings.intermediate.join(', ')}`,
      'Use the ONNX file of the model.',
    );
  const runtime = runnable(await openFastestTflite(bytes));
  const about = { params: parametersOf(readTflite(bytes)), sizeBytes: bytes.length, content: bytes };
  return fileTeacher({ name, runtime, ...about, dataset, probe }, settings);
}

function runnable(session: TfliteSession): Runnable {
  const [input] = session.inputs;
  return {
    inputs: session.inputs.map(asFloat),
    outputs: session.outputs.map(asFloat),
    device: 'cpu',
    run: async (feeds, wanted) => {
      const { data, shape } = feeds[input!.name]!;
      const results = await session.run({ [input!.name]: toStored(data as Float32Array, input!) });
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

function asFloat({ name, shape }: End): ModelValue {
  return { name, dtype: 'float32', shape: shape.map((size) => (size < 0 ? '' : size)) };
}

function parametersOf({ subgraphs, buffers }: TfliteModel): number {
  return subgraphs
    .flatMap(({ tensors }) => tensors)
    .filter(({ buffer }) => buffers[buffer]?.data !== undefined)
    .reduce((sum, { shape = [] }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
