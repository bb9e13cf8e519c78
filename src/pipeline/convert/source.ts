import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { asUserError } from '../../base/files.ts';
import { readOnnx } from '../../distill/onnx-file.ts';
import { loadTfjsModel } from '../../distill/tfjs-file.ts';
import { importOnnx } from '../../formats/onnx/import.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import { forInference } from '../../graph/passes/for-inference.ts';
import type { Graph } from '../../graph/types.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { evaluator } from '../../runtime/evaluator.ts';
import { useLazyBackend } from '../../trace/use.ts';
import { modelState } from '../../train/step.ts';
import { exportedFile } from '../finished.ts';
import { storedRecipe } from '../folder.ts';
import { inferenceGraph } from '../stages/export.ts';

/** A float model to write in another form. */
export interface ConvertSource {
  readonly file: string;
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
  /** Of the run that it comes from. */
  readonly recipe?: LoadedRecipe;
}

/** The model of a run, an ONNX file or a tfjs layers model, as an inference graph. */
export async function openSource(from: string, model: string): Promise<ConvertSource> {
  const found = await stat(from).catch((error: unknown) => {
    throw asUserError(error, from, 'read');
  });
  if (found.isDirectory()) {
    const file = await exportedFile(from, model);
    if (!file.endsWith('.onnx'))
      throw new UserError(
        `--model: expected a float32 ONNX model of the run, received ${model}`,
        'Name it as the report does, e.g. distilled.',
      );
    return { ...(await onnxSource(file)), recipe: await storedRecipe(from) };
  }
  if (from.endsWith('.onnx')) return onnxSource(from);
  if (from.endsWith('.json')) return tfjsSource(from);
  throw new UserError(
    `--from: expected the folder of a run, an .onnx file or a model.json, received ${path.basename(from)}`,
    'Name one of those.',
  );
}

async function onnxSource(file: string): Promise<ConvertSource> {
  const model = decodeModel(await readOnnx(file), file);
  const graph = forInference(importOnnx(model, file), (part) => evaluator.runSync(part, new Map()));
  return { file, graph, metadata: model.metadata };
}

async function tfjsSource(file: string): Promise<ConvertSource> {
  useLazyBackend(evaluator);
  const model = await loadTfjsModel(file);
  const weights = new Map(
    await Promise.all(
      Object.entries(modelState(model).all).map(
        async ([name, variable]) =>
          [
            name,
            {
              type: { dtype: 'float32' as const, shape: variable.shape },
              data: (await variable.data()) as Float32Array,
            },
          ] as const,
      ),
    ),
  );
  return { file, graph: inferenceGraph({ model, weights }, []), metadata: new Map() };
}
