import type { io } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.ts';
import { readBytes, readText } from '../base/files.ts';
import { memoryText } from '../base/process/memory.ts';
import { parsedJson } from '../base/json.ts';
import { unzip, zipEntries } from '../data/readers/numpy/zip.ts';
import type { Model } from '../formats/onnx/model.ts';
import { kerasToOnnx } from '../formats/keras/convert.ts';
import { damagedModel, readConfig, textOr } from '../formats/keras/config.ts';
import type { Json } from '../formats/keras/config.ts';
import { archivedWeights, layeredWeights, namedWeights } from '../formats/keras/weights.ts';
import type { NamedArray } from '../formats/keras/weights.ts';
import { readHdf5Apart } from './keras/hdf5.ts';
import { readWeights } from './tfjs-weights.ts';

/** Reads a model that Keras saved, as `.keras`, as `.h5` or as a model.json, into an ONNX model. `UserError` for a damaged file, and by layer. */
export async function readKeras(file: string): Promise<Model> {
  const read = file.endsWith('.json') ? ofJson : file.toLowerCase().endsWith('.keras') ? ofArchive : ofHdf5;
  try {
    return await read(file);
  } catch (error) {
    if ((error as Error).name !== 'RangeError') throw error;
    throw damagedModel(file, 'its layers are too many, or models stand in models too deeply');
  }
}

/** Size from which the ratio of unpacked to packed bytes of an archive's part is limited: Keras packs nothing, and weights hardly shrink. */
const [LARGE, MOST_TIMES] = [2 ** 26, 50];

async function ofArchive(file: string): Promise<Model> {
  const wanted = ['config.json', 'metadata.json', 'model.weights.h5'];
  const damaged = (error: unknown): never => {
    throw damagedModel(file, `is no archive of Keras, or a damaged one (${(error as Error).message})`);
  };
  for (const { name, packed, size } of await zipEntries(file).catch(damaged))
    if (wanted.includes(name) && size > LARGE && size > MOST_TIMES * packed)
      throw damagedModel(file, `its ${name} becomes ${memoryText(size)} of ${packed} bytes, more than weights can`);
  const entries = await unzip(file, (name) => wanted.includes(name)).catch(damaged);
  const { 'config.json': config, 'metadata.json': metadata, 'model.weights.h5': weights } = entries;
  if (config === undefined || weights === undefined)
    throw damagedModel(file, `has no ${config === undefined ? 'config.json' : 'model.weights.h5'} in it`);
  const about = metadata === undefined ? {} : parsed(metadata, file);
  const model = readConfig(parsed(config, file), file);
  const version = textOr((about as Json)['keras_version'], '3');
  return kerasToOnnx({
    file,
    model,
    version,
    weights: archivedWeights(await readHdf5Apart({ bytes: weights, file }), file),
  });
}

async function ofHdf5(file: string): Promise<Model> {
  const root = await readHdf5Apart({ bytes: await readBytes(file), file });
  const config = root.attributes.get('model_config');
  const weights = root.groups.get('model_weights');
  if (typeof config !== 'string' || weights === undefined)
    throw new UserError(
      `${file}: holds no whole model${root.groups.size > 0 ? ', weights alone' : ''}`,
      'Save the whole model with model.save("model.keras") of Keras: save_weights() leaves out the layers.',
    );
  const text = new TextEncoder().encode(config);
  const version = textOr(root.attributes.get('keras_version') ?? weights.attributes.get('keras_version'), '2');
  const model = readConfig(parsed(text, file), file);
  return kerasToOnnx({ file, model, version, weights: layeredWeights(weights, file) });
}

function parsed(bytes: Uint8Array, file: string): unknown {
  try {
    return parsedJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw damagedModel(file, `its configuration is no JSON: ${(error as Error).message}`);
  }
}

async function ofJson(file: string): Promise<Model> {
  const json = parsed(new TextEncoder().encode(await readText(file)), file) as Json;
  const topology = json['modelTopology'] as Json;
  const { specs, bytes } = await readWeights(file, json['weightsManifest']);
  const model = readConfig(topology['model_config'], file);
  return kerasToOnnx({
    ...{ file, model, version: textOr(topology['keras_version'], '3') },
    weights: namedWeights(arraysOf(specs, bytes, file)),
  });
}

/** Arrays one after the other. */
function arraysOf(specs: readonly io.WeightsManifestEntry[], bytes: Uint8Array, file: string): NamedArray[] {
  let at = 0;
  return specs.map(({ name, shape, dtype, quantization }) => {
    if (dtype !== 'float32' || quantization !== undefined)
      throw new UserError(
        `${file}: the weight ${name} is stored as ${quantization?.dtype ?? dtype}, expected float32`,
        'Convert the model without quantization.',
      );
    const count = shape.reduce((product, size) => product * size, 1);
    const part = bytes.slice(at, (at += 4 * count));
    if (part.length !== 4 * count) throw damagedModel(file, `its weight files end inside ${name}`);
    return { name, array: { shape, data: new Float32Array(part.buffer) } };
  });
}
