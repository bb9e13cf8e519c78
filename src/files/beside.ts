import { clipped, UserError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { fileBeside } from '../base/folders/inside.ts';

/** Finds a file of weights that a model names, relative to the model's folder. `whole`: remedy, how to save the model in a single file. */
export async function findBeside(file: string, name: string, whole?: string): Promise<string> {
  const target = await fileBeside(file, name);
  if (target === undefined) {
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
  return target;
}
