import path from 'node:path';
import { clipped, UserError } from '../base/errors.ts';
import { exists, readBytes } from '../base/files.ts';

/** The bytes of a file of weights that a model names, from the folder of the model. `whole`: how the model is saved without such files. */
export async function readBeside(file: string, name: string, whole?: string): Promise<Uint8Array> {
  const folder = path.dirname(path.resolve(file));
  const target = path.resolve(folder, name);
  // A model that somebody sent must not read what lies elsewhere.
  if (!target.startsWith(folder + path.sep)) {
    throw new UserError(
      `${file}: its weights are in ${clipped(name)}, outside the folder of the model`,
      whole === undefined ? 'Put the weight files beside the model.' : `Save the model as one file: ${whole}.`,
    );
  }
  if (!(await exists(target))) {
    throw new UserError(
      `${file}: its weights are in another file, ${clipped(name)}, which is not there`,
      `Copy that file beside the model${whole === undefined ? '' : `, or save the model as one: ${whole}`}.`,
    );
  }
  return readBytes(target);
}
