import type { Lowering } from '../context.ts';

/** The largest number whose product with a normal float32 does not end the kernel's own range check. */
const STEEP = 3e38;

/**
 * 1 where x > 0, else 0. A comparison and its bool are several times slower than this: x · 3e38 cut to [0, 1] is exact for
 * every x but the denormals.
 */
export function mask(c: Lowering, x: string): string {
  return c.once(`mask ${x}`, () => c.one('HardSigmoid', [x], { alpha: { float: STEEP }, beta: { float: 0 } }));
}
