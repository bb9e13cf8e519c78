import type { Dim, DType } from '../../../../graph/types.ts';

/** A tensor whose values are known when the file is read: stored, or computed from shapes. Sizes may be those of the batch. */
export interface KnownTensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Row-major; `bool` values are 0 and 1. */
  readonly values: readonly Dim[];
}

/**
 * Integers that grow by the same steps from sample to sample: those of the first one and of the second one, both with a first axis of size 1, which
 * stands for the samples. PyTorch's newer exporter makes places of a Gather of them (`as_strided`): [0, 1, 2, ...] · n + [0 ... n - 1].
 */
export interface Counted {
  readonly first: KnownTensor;
  readonly second: KnownTensor;
}

export function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A list of integers, or one integer. */
export function knownIntegers(values: readonly Dim[], isScalar = false): KnownTensor {
  return { dtype: 'int64', dims: isScalar ? [] : [values.length], values };
}

/** Steps from one element to the next, axis by axis. */
function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * dims[i + 1]!;
  return strides;
}

/** The tensor of `dims` whose element at each place is `at` of the place's coordinates. */
export function filled(
  dtype: DType,
  dims: readonly number[],
  at: (place: readonly number[], index: number) => Dim,
): KnownTensor {
  const strides = stridesOf(dims);
  const values = Array.from({ length: count(dims) }, (_, index) => {
    const place = dims.map((dim, axis) => Math.floor(index / strides[axis]!) % dim);
    return at(place, index);
  });
  return { dtype, dims, values };
}

/** The element at `place`, counted from the last axis; axes of size 1 are repeated. */
export function elementAt({ dims, values }: KnownTensor, place: readonly number[]): Dim {
  const strides = stridesOf(dims);
  const skipped = place.length - dims.length;
  return values[dims.reduce((sum, dim, i) => sum + (dim === 1 ? 0 : place[i + skipped]! * strides[i]!), 0)]!;
}
