import { batchFactor, batchTimes } from '../../../../graph/shapes.ts';
import type { Dim, DType } from '../../../../graph/types.ts';
import type { Import } from '../context.ts';
import { FIXED_BATCH } from '../hints.ts';
import { elementAt, filledByPlace } from './known.ts';
import type { KnownTensor } from './known.ts';

/** Operation on two known values: on numbers, and on sizes that may be multiples of the batch (undefined: unknown). */
interface Arithmetic {
  readonly numbers: (a: number, b: number, dtype: DType) => number;
  readonly sizes: (a: Dim, b: Dim) => Dim | undefined;
}

/** A multiple of the batch size with a positive integer factor; undefined for others, which are no size. */
function times(factor: number): Dim | undefined {
  return Number.isInteger(factor) && factor > 0 ? batchTimes(factor) : undefined;
}

const isInteger = (dtype: DType): boolean => dtype.startsWith('int');
const never = (): undefined => undefined;

/** Comparison of sizes, given that the batch is at least 1. */
const compared =
  (numbers: (a: number, b: number) => boolean, isStrict: boolean): Arithmetic['sizes'] =>
  (a, b) => {
    if (a === b) return Number(numbers(0, 0));
    const [low, high] = typeof a === 'number' ? [a, batchFactor(b)] : [Number(b), batchFactor(a)];
    if (Number.isNaN(low) || (isStrict ? low >= high : low > 0)) return undefined;
    return Number(typeof a === 'number' ? numbers(low, high) : numbers(high, low));
  };

const comparison = (numbers: (a: number, b: number) => boolean, isStrict = true): Arithmetic => ({
  numbers: (a, b) => Number(numbers(a, b)),
  sizes: compared(numbers, isStrict),
});

const arithmetic: Readonly<Record<string, Arithmetic>> = {
  Add: {
    numbers: (a, b) => a + b,
    sizes: (a, b) => (a === 0 ? b : b === 0 ? a : both(a, b) ? times(batchFactor(a) + batchFactor(b)) : undefined),
  },
  Sub: {
    numbers: (a, b) => a - b,
    sizes: (a, b) => {
      if (b === 0) return a;
      if (a === b) return 0;
      return both(a, b) ? times(batchFactor(a) - batchFactor(b)) : undefined;
    },
  },
  Mul: {
    numbers: (a, b) => a * b,
    sizes: (a, b) => {
      if (a === 0 || b === 0) return 0;
      if (typeof a === 'number') return times(a * batchFactor(b));
      return typeof b === 'number' ? times(batchFactor(a) * b) : undefined;
    },
  },
  Div: {
    numbers: (a, b, dtype) => (isInteger(dtype) ? Math.trunc(a / b) : a / b),
    sizes: (a, b) => {
      if (typeof a === 'number') return undefined;
      if (typeof b === 'number') return times(batchFactor(a) / b);
      const ratio = batchFactor(a) / batchFactor(b);
      return Number.isInteger(ratio) ? ratio : undefined;
    },
  },
  Mod: { numbers: (a, b) => a - b * Math.floor(a / b), sizes: (a, b) => (b === 1 || a === b ? 0 : undefined) },
  Pow: { numbers: (a, b) => a ** b, sizes: (a, b) => (b === 1 ? a : undefined) },
  Min: { numbers: (a, b) => Math.min(a, b), sizes: (a, b) => (a === b ? a : undefined) },
  Max: {
    numbers: (a, b) => Math.max(a, b),
    sizes: (a, b) => {
      if (a === b) return a;
      const [number, size] = typeof a === 'number' ? [a, b] : [b, a];
      return typeof number === 'number' && number <= batchFactor(size) ? size : undefined;
    },
  },
  // A number that cannot be a size differs from the batch; any other may equal it.
  Equal: comparison((a, b) => a === b, false),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  And: { numbers: (a, b) => a & b, sizes: never },
  Or: { numbers: (a, b) => a | b, sizes: never },
  Xor: { numbers: (a, b) => a ^ b, sizes: never },
};

function both(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' && typeof b !== 'number';
}

/** Value of a number after conversion to a type. */
export function roundedTo(value: number, dtype: DType): number {
  return dtype === 'float32' ? Math.fround(value) : dtype === 'bool' ? Number(value !== 0) : value;
}

/** Combines two known tensors, broadcast. */
export function combined(c: Import, op: string, a: KnownTensor, b: KnownTensor, dtype = a.dtype): KnownTensor {
  const { numbers, sizes } = arithmetic[op]!;
  return filledByPlace(dtype, shared(c, a, b), (place) => {
    const [x, y] = [elementAt(a, place), elementAt(b, place)];
    if (typeof x === 'number' && typeof y === 'number') {
      if ((op === 'Div' || op === 'Mod') && y === 0 && isInteger(a.dtype)) c.fail('it divides by zero');
      return roundedTo(numbers(x, y, a.dtype), dtype);
    }
    return sizes(x, y) ?? c.fail(`of ${x} and ${y}, what it gives depends on the batch size`, FIXED_BATCH);
  });
}

export function shared(c: Import, ...all: readonly KnownTensor[]): number[] {
  return all.map(({ dims }) => dims).reduce<readonly number[]>((a, b) => c.broadcast(a, b) as number[], []) as number[];
}
