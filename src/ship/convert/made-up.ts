import { UserError } from '../../base/errors.ts';
import { faultOfArrays } from '../../base/process/memory.ts';
import { RandomStream } from '../../base/random.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import type { TensorType } from '../../graph/types.ts';
import { typedAs } from '../../graph/arrays.ts';

/** Batch sizes of made-up inputs, where the model takes any: what holds for one alone shows. */
const SIZES = [1, 3];

/** Numbers as normalized data have them, and 0 and 1 for whole ones, which are indexes of any table. `UserError` for inputs that no memory holds. */
export function madeUp(inputs: ReadonlyMap<string, TensorType>): Feeds[] {
  const isOpen = [...inputs.values()].some(({ shape }) => shape.some((dim) => typeof dim === 'string'));
  return (isOpen ? SIZES : [1, 1]).map((batch, i) => {
    const sized = [...inputs].map(([name, { dtype, shape }]) => {
      const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : batch * Number.parseInt(dim, 10) || batch));
      return { name, dtype, sizes, length: sizes.reduce((product, size) => product * size, 1) };
    });
    // They are held as float32 too, whatever their type.
    const fault = faultOfArrays(sized.map(({ length }) => ({ values: length, bytesEach: 4 })));
    if (fault !== undefined)
      throw new UserError(
        `made-up inputs ${sized.map(({ name, sizes }) => `${name} [${sizes.join(', ')}]`).join(', ')} ${fault}`,
        'Say smaller sizes with --shape.',
      );
    const feeds = sized.map(({ name, dtype, sizes, length }) => {
      const random = new RandomStream('made-up inputs', name, i);
      const isWhole = dtype !== 'float32' && dtype !== 'float16';
      const values = Float32Array.from({ length }, () => (isWhole ? random.below(2) : random.normal()));
      return [name, { data: typedAs(dtype, values), shape: sizes }] as const;
    });
    return Object.fromEntries(feeds);
  });
}
