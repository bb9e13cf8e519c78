import type { Graph, Node } from '../graph/types.ts';
import type { Kernel, Unmasked, Variables } from './network.ts';

/** The axis of a weight that a node sums over. */
const SUMMED: Readonly<Record<string, (node: Node, rank: number) => number>> = {
  Conv2D: () => 2,
  BatchMatMul: ({ attrs }, rank) => (attrs.transposeB === true ? rank - 1 : rank - 2),
};

/**
 * Kernels of convolutions and matrix products of a graph with weights `state`. Depthwise filters are not pruned (Zhu & Gupta 2017, section 4.2): each
 * is the only path of its channel.
 */
export function kernelsOfGraph({ nodes }: Graph, state: Variables): { result: Kernel[]; skipped: Unmasked[] } {
  const result = new Map<string, Kernel>();
  const users = new Map<string, string>();
  for (const node of nodes) {
    const [, weight] = node.inputs;
    for (const name of node.inputs) if (!users.has(name)) users.set(name, node.op);
    if (weight === undefined || !Object.hasOwn(state, weight) || !Object.hasOwn(SUMMED, node.op)) continue;
    const { shape } = state[weight]!;
    if (shape.length > 1) result.set(weight, { name: weight, shape, inputs: SUMMED[node.op]!(node, shape.length) });
  }
  const skipped = Object.entries(state).flatMap(([name, { shape }]): Unmasked[] => {
    if (shape.length < 2 || result.has(name)) return [];
    return [{ what: name, why: `weights of ${users.get(name) ?? 'no operator'} are not masked` }];
  });
  return { result: [...result.values()], skipped };
}
