import path from 'node:path';

/** File of the vectors in a folder of model2vec. */
export const MODEL2VEC_FILE = 'model.safetensors';

/** Output and inputs of `model2vecOnnx`, by the names that encoders of sentences have. */
export const MODEL2VEC_ENDS = { inputs: ['input_ids', 'attention_mask'], output: 'sentence_embedding' } as const;

/** True for the name of a file of model2vec. */
export function isModel2vecFile(file: string): boolean {
  return path.basename(file) === MODEL2VEC_FILE;
}
