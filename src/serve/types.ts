import type { DType } from '../graph/types.ts';

/** A tensor as it travels: elements in row-major order, little-endian. */
export interface WireTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
