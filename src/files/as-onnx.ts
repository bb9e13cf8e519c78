import { Registry, Slot } from '../base/registry.ts';
import type { Model } from '../formats/onnx/model.ts';

/** A format of model files that are read as ONNX models. */
export interface FormatAsOnnx {
  readonly name: string;
  /** True for the name of a file of the format. */
  readonly isFile: (file: string) => boolean;
  /** True for the text of a model.json that is not one of tfjs-layers, but of this format. */
  readonly isModelJson?: (text: string) => boolean;
  /** True for files that commands do not take for a model, unless a recipe or a folder names them. */
  readonly isPart?: true;
  /** For a format with a vector for each token, which lies in a folder as the Hugging Face hub has it. */
  readonly ofTokens?: TokenVectorsFormat;
}

export interface TokenVectorsFormat {
  /** True for a folder of the format, by the architecture of its config.json and the objects of its modules.json. */
  readonly isFolder: (architecture: string, modules: readonly unknown[]) => boolean;
  /** File of the vectors in such a folder, and inputs and output of the ONNX model that it is read as. */
  readonly ends: { readonly onnx: string; readonly inputs: readonly string[]; readonly output: string };
}

export const formatsAsOnnx = new Registry<FormatAsOnnx>('format of model files');

/** Reads a file of the format. `UserError` for a damaged file, and for parts of a model that have no form in ONNX. */
export type ReadAsOnnx = (file: string) => Promise<Model>;

export const readersAsOnnx = new Slot<ReadAsOnnx>(formatsAsOnnx, 'readModel', 'reader');

/** The format of a file that is read as an ONNX model, by its name; of a model.json the format that has such files. */
export function formatAsOnnx(file: string): FormatAsOnnx | undefined {
  const isJson = file.endsWith('.json');
  return formatsAsOnnx.all().find(({ isFile, isModelJson }) => isFile(file) || (isJson && isModelJson !== undefined));
}

/** True for the name of a file that commands take for a model and read as one of ONNX. */
export function isNamedAsOnnx(file: string): boolean {
  return formatsAsOnnx.all().some(({ isFile, isPart }) => isPart !== true && isFile(file));
}

/** True for the text of a model.json that is read as an ONNX model. */
export function isJsonAsOnnx(text: string): boolean {
  return formatsAsOnnx.all().some(({ isModelJson }) => isModelJson?.(text) === true);
}

/** True for a model file that `readOnnx` reads: of ONNX, or of a format that is read as such. */
export async function isReadAsOnnx(file: string): Promise<boolean> {
  if (/\.onnx$/i.test(file) || isNamedAsOnnx(file)) return true;
  if (!file.endsWith('.json')) return false;
  const { readText } = await import('../base/files.ts');
  return isJsonAsOnnx(await readText(file));
}
