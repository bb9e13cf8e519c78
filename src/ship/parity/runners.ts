import { InferenceModel } from '../../runtime/inference.ts';
import type { SessionOptions } from '../../runtime/onnxruntime/session.ts';
import type { ModelFile } from '../model-file.ts';
import { typedAs } from '../../graph/arrays.ts';
import { feedOf, comparable } from './file-runner.ts';
import type { FileRunner } from './file-runner.ts';

/** `path`: of an ONNX file with these bytes, which ONNX Runtime then reads itself. */
export async function openFileRunner(
  { file, bytes, format, path }: Pick<ModelFile, 'file' | 'bytes' | 'format'> & { readonly path?: string | undefined },
  session: SessionOptions,
): Promise<FileRunner> {
  return format === 'onnx'
    ? onnxRunner(new InferenceModel(path ?? bytes, file, session))
    : (await import('./tflite-runner.ts')).tfliteRunner({ file, bytes });
}

function onnxRunner(model: InferenceModel): FileRunner {
  return {
    outputs: model.outputs.map(({ name }) => name),
    run: async (feeds) => {
      const fed = model.inputs.map((input, i) => {
        const { data, shape } = feedOf(input, i, feeds);
        return [input.name, { data: typedAs(input.dtype, data), shape }] as const;
      });
      const results = await model.run(Object.fromEntries(fed));
      return Object.fromEntries(
        model.outputs.map(({ name, dtype }) => [name, comparable(results[name]!.data, results[name]!.shape, dtype)]),
      );
    },
    dispose: () => model.dispose(),
  };
}
