import { elementCount } from '../formats/onnx/model.ts';
import type { Model } from '../formats/onnx/model.ts';

/** Weights that a file stores. */
export interface WeightFacts {
  /** Numbers in tensors that are more than a few values of shape or scale. */
  readonly params: number;
  /** The type that most of them have. */
  readonly precision: string;
}

/** Tensors of shapes, axes and scales are small; they count only where they are floats, as biases are. */
const FEW = 8;

export function weightsOf({ graph }: Model): WeightFacts {
  const counts = new Map<string, number>();
  for (const { dtype, dims } of graph.initializers) {
    const count = elementCount(dims);
    if (!/^float/.test(dtype) && count <= FEW) continue;
    counts.set(dtype, (counts.get(dtype) ?? 0) + count);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const params = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { params, precision: most?.[0] ?? 'none' };
}
