import path from 'node:path';
import type { FormatAsOnnx } from '../../as-onnx.ts';

/** File that the package model2vec saves vectors in, and the inputs and output of the ONNX model that Limbeck reads it as; encoders of sentence-transformers have the same names. */
export const MODEL2VEC_ENDS = {
  onnx: 'model.safetensors',
  inputs: ['input_ids', 'attention_mask'],
  output: 'sentence_embedding',
} as const;

export const model2vec: FormatAsOnnx = {
  name: 'model2vec',
  isFile: (file) => path.basename(file) === MODEL2VEC_ENDS.onnx,
  isPart: true,
  ofTokens: { isFolder, ends: MODEL2VEC_ENDS },
};

/** True for a folder that says so in its config.json, or, since version 0.10, in its modules.json. */
function isFolder(architecture: string, modules: readonly unknown[]): boolean {
  const isModule = (modules as { type?: unknown; path?: unknown }[]).some(
    (part) => /\.StaticEmbedding$/.test(String(part.type)) && part.path === '.',
  );
  return architecture === 'StaticModel' || (architecture === '' && isModule);
}
