import type { Dim, DType } from '../../../../graph/types.ts';

/** A tensor with values known in reading the file: stored, or computed from shapes. Values may be multiples of the batch size. */
export interface KnownTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Row-major; `bool` values are 0 and 1. */
  readonly values: readonly Dim[];
}

/**
 * Integers that grow by equal steps from sample to sample, given by the first two samples, each with a first axis of size 1 in place of the batch.
 * PyTorch's newer exporter computes indexes of a Gather from them (`as_strided`): [0, 1, 2, ...] · n + [0 ... n - 1].
 */
export interface Counted {
  readonly first: KnownTensor;
  readonly second: KnownTensor;
}

export function sizeOfDims(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A list of integers, or a single integer. */
export function knownIntegers(values: readonly Dim[], isScalar = false): KnownTensor {
  return { dtype: 'int64', dims: isScalar ? [] : [values.length], values };
}

/** Distance in elements between neighbours, axis by axis. */
function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * dims[i + 1]!;
  return strides;
}

/** A tensor of `dims` with the element `at(coordinates)` at each position. */
export function filledByPlace(
  dtype: DType,
  dims: readonly number[],
  at: (place: readonly number[], index: number) => Dim,
): KnownTensor {
  const strides = stridesOf(dims);
  const values = Array.from({ length: sizeOfDims(dims) }, (_, index) => {
    const place = dims.map((dim, axis) => Math.floor(index / strides[axis]!) % dim);
    return at(place, index);
  });
  return { dtype, dims, values };
}

/** Element at the position `place`, counted from the last axis; axes of size 1 are repeated. */
export function elementAt({ dims, values }: KnownTensor, place: readonly number[]): Dim {
  const strides = stridesOf(dims);
  const skipped = place.length - dims.length;
  return values[dims.reduce((sum, dim, i) => sum + (dim === 1 ? 0 : place[i + skipped]! * strides[i]!), 0)]!;
}
