import { inputsByName } from '../data/inputs.ts';
import type { InputPart } from '../data/dataset.ts';
import type { InferenceTensor, ModelValue } from './inference.ts';
import type { TensorData } from '../graph/types.ts';
import { toStored } from './litert/ends.ts';
import type { TfliteEnd } from './litert/ends.ts';
import { samplesAs } from './typed.ts';

/** Feeds of a file for samples [n, ...]: its only input, or each part as the input of its name, in the file's types. */
export function modelFeeds(
  { inputs: ends }: { readonly inputs: readonly Pick<ModelValue, 'name' | 'dtype'>[] },
  x: Float32Array,
  [n, ...sampleShape]: readonly number[],
  inputs: readonly InputPart[] | undefined,
): Record<string, InferenceTensor> {
  const values = inputsByName(x, n!, { sampleShape, inputs });
  return Object.fromEntries(
    ends.map(({ name, dtype }) => {
      const { data, shape } = inputs === undefined ? values['input']! : values[name]!;
      return [name, { data: samplesAs(dtype, data, name), shape }];
    }),
  );
}

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
