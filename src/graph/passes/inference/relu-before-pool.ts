import type { Graph } from '../../types.ts';
import { removeDeadCode } from '../simplify/dead-code.ts';
import { rewrite } from '../rewrite.ts';
import { usesOf } from '../uses.ts';

/**
 * A ReLU behind a max pooling goes before it, which gives the same numbers: there the sum of a convolution and its bias takes it along,
 * and an integer file need not spend half of its values on what the ReLU makes zero.
 */
export function reluBeforePool(graph: Graph): Graph {
  const uses = usesOf(graph);
  return removeDeadCode(
    rewrite(graph, (node, builder) => {
      const pool = node.op === 'Relu' ? builder.producerOf(node.inputs[0]!) : undefined;
      if (pool?.op !== 'MaxPool' || uses.get(pool.outputs[0]!) !== 1) return undefined;
      const [x] = pool.inputs as [string];
      if (builder.producerOf(x)?.op !== 'Add' || uses.get(x) !== 1) return undefined;
      return builder.node('MaxPool', [builder.op('Relu', [x], {}, node.layer)], pool.attrs, { layer: pool.layer });
    }),
  );
}
