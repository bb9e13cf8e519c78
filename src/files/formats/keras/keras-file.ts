import type { io } from '@tensorflow/tfjs-core';
import { UserError } from '../../../base/errors.ts';
import { readBytes, readText } from '../../../base/files.ts';
import { unzip, zipEntries } from '../../../data/readers/numpy/zip.ts';
import type { Model } from '../../../formats/onnx/model.ts';
import { kerasToOnnx } from '../../../formats/keras/convert.ts';
import { damagedModel, readConfig, textOr } from '../../../formats/keras/config.ts';
import {
  isPart,
  modelOfArchive,
  modelOfHdf5,
  parsed,
  refuseInflated,
  unreadable,
} from '../../../formats/keras/read.ts';
import type { Json } from '../../../formats/keras/config.ts';
import { namedWeights } from '../../../formats/keras/weights.ts';
import type { NamedArray } from '../../../formats/keras/weights.ts';
import { readHdf5Apart } from './hdf5.ts';
import { readWeights } from '../../tfjs-weights.ts';

/** Reads a model that Keras saved, as `.keras`, as `.h5` or as a model.json, into an ONNX model. `UserError` for a damaged file, and by layer. */
export async function readModel(file: string): Promise<Model> {
  const read = file.endsWith('.json') ? ofJson : file.toLowerCase().endsWith('.keras') ? ofArchive : ofHdf5;
  try {
    return await read(file);
  } catch (error) {
    if ((error as Error).name !== 'RangeError') throw error;
    throw damagedModel(file, 'its layers are too many, or models stand in models too deeply');
  }
}

async function ofArchive(file: string): Promise<Model> {
  const entries = await zipEntries(file).catch((error: unknown) => unreadable(file, error));
  refuseInflated(entries, file);
  const parts = await unzip(file, isPart).catch((error: unknown) => unreadable(file, error));
  return modelOfArchive(parts, file, (bytes) => readHdf5Apart({ bytes, file }));
}

async function ofHdf5(file: string): Promise<Model> {
  return modelOfHdf5(await readHdf5Apart({ bytes: await readBytes(file), file }), file);
}

async function ofJson(file: string): Promise<Model> {
  const json = parsed(new TextEncoder().encode(await readText(file)), file) as Json;
  const topology = json['modelTopology'] as Json;
  const { specs, bytes } = await readWeights(file, json['weightsManifest']);
  const model = readConfig(topology['model_config'], file);
  return kerasToOnnx({
    file,
    model,
    version: textOr(topology['keras_version'], '3'),
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
