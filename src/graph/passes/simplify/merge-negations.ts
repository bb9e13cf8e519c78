import type { Graph } from '../../types.ts';
import { rewrite } from '../rewrite.ts';

/** a + (-b) as a - b, and a - (-b) as a + b: the same bits from one op less, of which gradients of differences are full. */
export function mergeNegations(graph: Graph): Graph {
  return rewrite(graph, ({ op, inputs, layer }, builder) => {
    if (op !== 'Add' && op !== 'Sub') return undefined;
    const [a, b] = inputs as [string, string];
    const negated = (name: string): string | undefined => {
      const producer = builder.producerOf(name);
      return producer?.op === 'Neg' ? producer.inputs[0] : undefined;
    };
    const [first, second] = [op === 'Add' ? negated(a) : undefined, negated(b)];
    if (second !== undefined) return builder.node(op === 'Add' ? 'Sub' : 'Add', [a, second], {}, { layer });
    return first === undefined ? undefined : builder.node('Sub', [b, first], {}, { layer });
  });
}
