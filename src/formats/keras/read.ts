import { UserError } from '../../base/errors.ts';
import { parsedJson } from '../../base/json.ts';
import { memoryText } from '../../base/numbers.ts';
import type { ZipEntry } from '../../base/zip-directory.ts';
import type { Model } from '../onnx/model.ts';
import { damagedModel, readConfig, textOr } from './config.ts';
import type { Json } from './config.ts';
import { kerasToOnnx } from './convert.ts';
import type { Hdf5Group } from './hdf5.ts';
import { archivedWeights, layeredWeights } from './weights.ts';

const PARTS: readonly string[] = ['config.json', 'metadata.json', 'model.weights.h5'];

/** True for the name of a part of a .keras archive that a model is read from. */
export const isPart = (name: string): boolean => PARTS.includes(name);

/** Size from which the ratio of unpacked to packed bytes of an archive's part is limited: Keras packs nothing, and weights hardly shrink. */
const [LARGE, MOST_TIMES] = [2 ** 26, 50];

/** Throws a `UserError` for an archive whose parts become larger than weights can. */
export function refuseInflated(entries: readonly ZipEntry[], file: string): void {
  for (const { name, packed, size } of entries)
    if (isPart(name) && size > LARGE && size > MOST_TIMES * packed)
      throw damagedModel(file, `its ${name} becomes ${memoryText(size)} of ${packed} bytes, more than weights can`);
}

/** Throws a `UserError` for an archive that cannot be unpacked. */
export function unreadable(file: string, error: unknown): never {
  throw damagedModel(file, `is no archive of Keras, or a damaged one (${(error as Error).message})`);
}

/** Reads the unpacked parts of a .keras archive. `readWeights` reads the HDF5 file among them. */
export async function modelOfArchive(
  parts: Readonly<Record<string, Uint8Array>>,
  file: string,
  readWeights: (bytes: Uint8Array) => Promise<Hdf5Group>,
): Promise<Model> {
  const { 'config.json': config, 'metadata.json': metadata, 'model.weights.h5': weights } = parts;
  if (config === undefined || weights === undefined)
    throw damagedModel(file, `has no ${config === undefined ? 'config.json' : 'model.weights.h5'} in it`);
  const about = metadata === undefined ? {} : parsed(metadata, file);
  const model = readConfig(parsed(config, file), file);
  const version = textOr((about as Json)['keras_version'], '3');
  return kerasToOnnx({ file, model, version, weights: archivedWeights(await readWeights(weights), file) });
}

/** Reads the content of an .h5 file of a whole model. */
export function modelOfHdf5(root: Hdf5Group, file: string): Model {
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

/** Reads JSON. `UserError` for other bytes. */
export function parsed(bytes: Uint8Array, file: string): unknown {
  try {
    return parsedJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw damagedModel(file, `its configuration is no JSON: ${(error as Error).message}`);
  }
}
