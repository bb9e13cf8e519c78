import type { TensorSpec } from '../../graph/types.ts';

/**
 * Way in which a file takes samples. `any`: the first size of every input and output is a batch of any size. `fixed`: it is always `size`,
 * so samples run in pieces of that size. `whole`: there is no batch, or samples of one batch change each other's answers, so each request
 * runs alone and as it came.
 */
export type Batching =
  { readonly kind: 'any' } | { readonly kind: 'fixed'; readonly size: number } | { readonly kind: 'whole' };

/** Facts that are found out about a file by loading and running it. */
export interface ModelFacts {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly batching: Batching;
  /** True if answers in a batch had the same bits as answers alone; undefined where no batch was tried. */
  readonly exact?: boolean;
  /** Samples in a call and milliseconds that it took. */
  readonly cost: readonly (readonly [samples: number, ms: number])[];
  /** Notes for the user, e.g. why requests are not batched. */
  readonly notes: readonly string[];
}
