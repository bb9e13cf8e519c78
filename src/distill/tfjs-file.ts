import path from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { concatBytes } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { readBytes, readText } from '../base/files.ts';

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: io.WeightsManifestEntry[];
  }[];
}

/** A `model.json` of TensorFlow.js (layers format) with its weight files beside it. */
export async function loadTfjsModel(file: string): Promise<LayersModel> {
  const text = await readText(file);
  let json: ModelJson;
  try {
    json = JSON.parse(text) as ModelJson;
  } catch (error) {
    throw new UserError(`${file}: not valid JSON: ${(error as Error).message}`, 'Name the model.json of a tfjs model.');
  }
  const { modelTopology, weightsManifest, format } = json;
  if (format === 'graph-model' || modelTopology === undefined || weightsManifest === undefined) {
    throw new UserError(
      `${file}: expected a tfjs layers model, received ${format ?? 'JSON without modelTopology and weightsManifest'}`,
      'Save the model with model.save() of tfjs-layers, or export it to ONNX and use `teacher.onnx`.',
    );
  }
  const folder = path.dirname(file);
  const parts = await Promise.all(
    weightsManifest.flatMap((group) => group.paths).map((name) => readBytes(path.join(folder, name))),
  );
  const bytes = concatBytes(parts);
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  try {
    return await loadLayersModel({
      load: () => Promise.resolve({ modelTopology, weightSpecs, weightData: bytes.buffer as ArrayBuffer }),
    });
  } catch (error) {
    throw new UserError(
      `${file}: tfjs-layers cannot load this model: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}`,
      'Check that its weight files are complete and belong to it.',
      { cause: error },
    );
  }
}
