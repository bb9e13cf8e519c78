import type { Graph } from '../../../src/graph/types.ts';
import { floats, sketch } from './support.ts';

export const PLAIN = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };

/** Two 1×1 convolutions of which the first has lost all but every tenth weight, and one of 3×3 that lost them too. */
export function pruned(depth: number): Graph {
  return sketch((g) => {
    const sparse = (shape: readonly number[]): string => {
      const size = shape.reduce((a, b) => a * b, 1);
      return g.constant(
        floats(...shape),
        Float32Array.from({ length: size }, (_, i) => (i % 10 === 3 ? (i % 7) - 3.5 : 0)),
      );
    };
    const wide = g.op('Conv2D', [g.input('x', floats('batch', 4, 4, 8)), g.weights([1, 1, 8, depth])], PLAIN);
    const narrow = g.op('Relu', [g.op('Conv2D', [wide, sparse([1, 1, depth, 12])], PLAIN)]);
    return g.op('Conv2D', [narrow, sparse([3, 3, 12, 8])], PLAIN);
  });
}
