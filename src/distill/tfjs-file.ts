import path from 'node:path';
import { cast, dispose, tensor } from '@tensorflow/tfjs-core';
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
  // A graph model's topology is a list of nodes; older converters do not name the format.
  if (format === 'graph-model' || (modelTopology !== undefined && 'node' in modelTopology)) {
    throw new UserError(
      `${file}: expected a tfjs layers model, received a tfjs graph model, which holds operations and no layers`,
      'Convert what it was made from to ONNX (python -m tf2onnx.convert --saved-model DIR --output teacher.onnx) and use ' +
        '`teacher.onnx`; as a student, save the Keras model with tensorflowjs_converter --output_format=tfjs_layers_model.',
    );
  }
  if (modelTopology === undefined || weightsManifest === undefined) {
    throw new UserError(
      `${file}: expected a tfjs layers model, received JSON without modelTopology and weightsManifest`,
      'Name the model.json that model.save() of tfjs-layers wrote.',
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

/** What a model says of `x`, [n, ...], output by output: computed by tfjs itself on its backend. */
export async function predictTfjs(
  model: LayersModel,
  x: Float32Array,
  shape: readonly number[],
): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }[]> {
  const input = tensor(x, [...shape]);
  const fed = model.inputs[0]!.dtype === 'float32' ? input : cast(input, model.inputs[0]!.dtype);
  const answers = [model.predict(fed)].flat();
  const results = await Promise.all(
    answers.map(async (answer) => ({ data: (await answer.data()) as Float32Array, shape: answer.shape })),
  );
  dispose([input, fed, ...answers]);
  return results;
}
