import { fromHalfArray } from '../../base/typed-bytes.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import type { TensorData } from '../../graph/types.ts';
import type { InferenceTensor, ModelValue } from '../../runtime/inference.ts';
import type { OutputValues } from '../../convert/likeness.ts';

export type { Feeds };

/** A model file with all of its outputs. */
export interface FileRunner {
  readonly outputs: readonly string[];
  /** `feeds`: by the names of the inputs, or in their order; numbers of whatever type. */
  run(feeds: Feeds): Promise<Readonly<Record<string, OutputValues>>>;
  dispose(): void;
}

export function feedOf(input: { readonly name: string }, position: number, feeds: Feeds): InferenceTensor {
  const found = feeds[input.name] ?? Object.values(feeds)[position];
  if (found === undefined) throw new Error(`input ${input.name} is not fed`);
  return found;
}

/** Numbers as they are compared. */
export function comparable(data: TensorData, shape: readonly number[], dtype: ModelValue['dtype']): OutputValues {
  if (dtype === 'float32') return { data: data as Float32Array, shape, isInteger: false };
  if (dtype === 'float16') return { data: fromHalfArray(data as Uint16Array), shape, isInteger: false };
  return { data: Float64Array.from(data as Int32Array, Number), shape, isInteger: true };
}
