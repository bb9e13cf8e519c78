import { UserError } from '../../base/errors.ts';
import { sourcesOf } from '../../serve/sources.ts';

/** ONNX file of a model: of a run, its distilled student, or of `RUN:id`, or the file itself. `UserError` for a folder of several. */
export async function fileOfModel(named: string, out: string, warn: (message: string) => void): Promise<string> {
  const { named: found } = await sourcesOf([named], out, warn);
  const [only] = found;
  if (only !== undefined && only.file.toLowerCase().endsWith('.onnx')) return only.file;
  throw new UserError(`${named}: expected a run or an .onnx file`, 'Name one file of the folder.');
}
