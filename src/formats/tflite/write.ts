import { writeFlatbuffer } from './flatbuffer/write.ts';
import { modelTableSchema } from './schema/model.ts';
import type { Fields } from './schema/notation.ts';
import type { TfliteModel } from './types.ts';

/** Serializes a model: equal models give equal bytes. */
export function writeTflite(model: TfliteModel): Uint8Array {
  const weights = model.buffers.reduce((sum, { data }) => sum + (data?.length ?? 0) + 32, 0);
  return writeFlatbuffer(modelTableSchema, model as unknown as Fields, weights + 16_384);
}
