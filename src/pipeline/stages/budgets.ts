import type { ModelFile } from '../model-file.ts';

/**
 * What a file may differ by from its training graph: in the class it gives, and in a logit, relative to the largest. int8
 * is held to what 8 bits can do to a sound model; what accuracy it may cost is for `quantize.maxDrop` to say.
 */
export const BUDGETS: Readonly<
  Record<ModelFile['precision'], { readonly top1Agreement: number; readonly error: number }>
> = {
  fp32: { top1Agreement: 0.998, error: 1e-3 },
  fp16: { top1Agreement: 0.99, error: 0.02 },
  int16x8: { top1Agreement: 0.95, error: 0.2 },
  int8: { top1Agreement: 0.9, error: 0.5 },
  'dynamic-int8': { top1Agreement: 0.9, error: 0.5 },
  int4: { top1Agreement: 0.8, error: 1 },
};
