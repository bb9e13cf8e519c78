import { inputsByName } from '../data/inputs.ts';
import type { InputPart } from '../data/dataset.ts';
import type { InferenceTensor, ModelValue } from './inference.ts';
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
