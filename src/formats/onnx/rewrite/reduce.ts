import type { Graph } from '../../../graph/types.ts';
import type { Skipped } from '../../../base/skipped.ts';
import { dynamicInt8 } from '../dynamic.ts';
import { halveModel } from './half.ts';
import { INT4_OPSET, int4Weights } from './int4.ts';
import { DEFAULT_OPSET, lowerToOnnx } from '../lower.ts';
import type { Options } from '../lower.ts';
import type { Model } from '../model.ts';

const reductions = { fp16: halveModel, 'dynamic-int8': dynamicInt8, int4: int4Weights } as const;

/** Number formats that need no calibration. */
export type Reduction = keyof typeof reductions;

/** True for a node that stays in float32, by its name, which begins with its layer's. */
type KeepFloat = (node: string) => boolean;

/** Lowers an inference graph to ONNX with fewer bits. */
export function lowerReduced(
  graph: Graph,
  reduction: Reduction,
  { keepFloat = () => false, ...options }: Options & { readonly keepFloat?: KeepFloat } = {},
): { result: Model; skipped: Skipped[] } {
  const opset = Math.max(options.opset ?? DEFAULT_OPSET, reduction === 'int4' ? INT4_OPSET : 0);
  return reductions[reduction](lowerToOnnx(graph, { ...options, opset }), keepFloat);
}
