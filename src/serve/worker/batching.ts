import type { TensorSpec } from '../../graph/types.ts';
import type { Batching } from '../types.ts';

/** Batching that the declared shapes allow. Whether samples change each other's answers is found out by running. */
export function declaredBatching(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): Batching {
  const firsts = [...inputs, ...outputs].map(({ shape }) => shape[0]);
  if (firsts.length === 0 || firsts.includes(undefined)) return { kind: 'whole' };
  const [size] = firsts;
  if (typeof size === 'number') {
    return size > 0 && firsts.every((other) => other === size) ? { kind: 'fixed', size } : { kind: 'whole' };
  }
  if (!firsts.every((first) => typeof first === 'string')) return { kind: 'whole' };
  // Two names are two sizes; a size without a name may be any.
  const names = new Set(firsts.filter((first) => first !== ''));
  return names.size <= 1 ? { kind: 'any' } : { kind: 'whole' };
}
