import type { InputPart } from '../../data/dataset.ts';
import type { TensorData } from '../../graph/types.ts';
import { modelFeeds } from '../feeds.ts';
import { toStored } from './ends.ts';
import type { TfliteEnd } from './ends.ts';

/** Feeds of a TFLite file, whose integers may be quantized. */
export function storedFeeds(
  session: { readonly inputs: readonly TfliteEnd[] },
  x: Float32Array,
  shape: readonly number[],
  inputs: readonly InputPart[] | undefined,
): Record<string, TensorData> {
  const asNumbers = session.inputs.map(({ name, dtype, quantization }) => ({
    name,
    dtype: quantization === undefined ? dtype : ('float32' as const),
  }));
  const fed = modelFeeds({ inputs: asNumbers }, x, shape, inputs);
  return Object.fromEntries(
    session.inputs.map((end) => {
      const { data } = fed[end.name]!;
      return [end.name, end.quantization === undefined ? data : toStored(data as Float32Array, end)];
    }),
  );
}
