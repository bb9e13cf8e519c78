import { cast, dispose, tensor, tidy, zeros } from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { UserError } from '../base/errors.ts';
import { readText } from '../base/files.ts';
import { forTfjs } from './tfjs/check.ts';
import { readWeights } from './tfjs-weights.ts';

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly weightsManifest?: unknown;
}

/**
 * Loads a `model.json` of TensorFlow.js (layers format) with its weight files. `UserError` by layer and key for settings that tfjs-layers would
 * ignore.
 */
export async function loadTfjsModel(file: string): Promise<LayersModel> {
  const text = await readText(file);
  let json: ModelJson;
  try {
    json = JSON.parse(text) as ModelJson;
  } catch (error) {
    throw new UserError(`${file}: not valid JSON: ${(error as Error).message}`, 'Name the model.json of a tfjs model.');
  }
  const { modelTopology, weightsManifest, format } = isObject(json) ? json : {};
  // A graph model's topology is a list of nodes; older converters do not name the format.
  if (format === 'graph-model' || (isObject(modelTopology) && 'node' in modelTopology)) {
    throw new UserError(
      `${file}: expected a tfjs layers model, received a tfjs graph model, which holds operations and no layers`,
      'Convert what it was made from to ONNX (python -m tf2onnx.convert --saved-model DIR --output teacher.onnx) and use ' +
        '`teacher.onnx`; as a student, save the Keras model with tensorflowjs_converter --output_format=tfjs_layers_model.',
    );
  }
  if (!isObject(modelTopology) || weightsManifest === undefined) {
    throw new UserError(
      `${file}: expected a tfjs layers model, received JSON without modelTopology and weightsManifest`,
      'Name the model.json that model.save() of tfjs-layers wrote.',
    );
  }
  const read = forTfjs(modelTopology, file);
  const { specs: weightSpecs, bytes } = await readWeights(file, weightsManifest);
  const refuse = (verb: string, hint: string, error: unknown): never => {
    throw new UserError(`${file}: tfjs-layers cannot ${verb} this model: ${factOf(error)}`, hint, { cause: error });
  };
  const handler = { load: () => Promise.resolve({ modelTopology: read, weightSpecs, weightData: bytes.buffer }) };
  const model = await loadLayersModel(handler as io.IOHandler).catch((error: unknown) =>
    refuse('load', 'Check that its weight files are complete and belong to it.', error),
  );
  try {
    tryOnce(model);
  } catch (error) {
    refuse('compute', 'Build it without that, or save the Keras model as ONNX (python -m tf2onnx.convert).', error);
  }
  return model;
}

/** Calls the model once with zeros: tfjs-layers refuses unimplemented settings of a layer only in a call. */
function tryOnce(model: LayersModel): void {
  const shapes = model.inputs.map(({ shape }) => shape.map((size, axis) => (axis === 0 ? (size ?? 1) : size)));
  if (shapes.flat().some((size) => size === null)) return;
  tidy(() => model.predict(shapes.map((shape) => zeros(shape as number[]))));
}

/** Outputs of a model for `x`, [n, ...], computed by tfjs on its own backend. */
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

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** First line of an error, reworded for people who do not write JavaScript. */
function factOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]!.slice(0, 300).replaceAll('undefined', 'nothing');
}
