import { RandomStream } from '../../base/random.ts';
import type { Feeds } from '../../compress/quantize/observe.ts';
import type { TensorType } from '../../graph/types.ts';
import { typedAs } from '../../runtime/typed.ts';

/** Batch sizes of made-up inputs, where the model takes any: what holds for one alone shows. */
const SIZES = [1, 3];

/** Numbers as normalized data have them, and 0 and 1 for whole ones, which are indexes of any table. */
export function madeUp(inputs: ReadonlyMap<string, TensorType>): Feeds[] {
  const isOpen = [...inputs.values()].some(({ shape }) => shape.some((dim) => typeof dim === 'string'));
  return (isOpen ? SIZES : [1, 1]).map((batch, i) => {
    const feeds = [...inputs].map(([name, { dtype, shape }]) => {
      const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : batch * Number.parseInt(dim, 10) || batch));
      const random = new RandomStream('made-up inputs', name, i);
      const length = sizes.reduce((product, size) => product * size, 1);
      const isWhole = dtype !== 'float32' && dtype !== 'float16';
      const values = Float32Array.from({ length }, () => (isWhole ? random.below(2) : random.normal()));
      return [name, { data: typedAs(dtype, values), shape: sizes }] as const;
    });
    return Object.fromEntries(feeds);
  });
}
