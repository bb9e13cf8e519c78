import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { readSafetensorsFile } from '../files/safetensors-file.ts';
import { typedAs } from '../runtime/typed.ts';
import { isFolder } from '../setup/hub/files.ts';

/** Static embeddings as model2vec saves them. */
export interface Model2vec {
  /** [tokens, width] */
  readonly vectors: Float32Array;
  readonly width: number;
}

const TENSORS = 'model.safetensors';

/**
 * The vectors in a folder of the package model2vec, `embeddings` of its model.safetensors; undefined for a path that is no folder. Integers are read
 * as they are, for lengths do not matter. `UserError` for another folder, and for vectors that several tokens share.
 */
export async function readModel2vec(folder: string): Promise<Model2vec | undefined> {
  if (!isFolder(folder)) return undefined;
  const file = path.join(folder, TENSORS);
  const { tensors } = await readSafetensorsFile(file);
  const found = tensors.get('embeddings');
  const listed = [...tensors].map(([name, { dtype, shape }]) => `${name} (${dtype}, [${shape.join(', ')}])`).join(', ');
  if (tensors.size !== 1 || found?.shape.length !== 2 || found.shape[1] === 0)
    throw new UserError(
      `${file}: expected the tensor embeddings [tokens, width] alone, received ${listed || 'none'}`,
      'Name a folder that model2vec saved, without vocabulary quantization.',
    );
  const vectors = typedAs('float32', found.data, found.dtype) as Float32Array;
  if (!vectors.every(Number.isFinite))
    throw new UserError(`${file}: embeddings holds numbers that are not finite`, 'Get the folder again.');
  return { vectors, width: found.shape[1]! };
}
