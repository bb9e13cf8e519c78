import { graphOf } from '../../builder.ts';
import { opSpec } from '../../ops.ts';
import { withBatch } from '../../shapes.ts';
import type { Attrs, Graph, Shape } from '../../types.ts';

/** The graph for batches of one size: no symbolic dimension is left. */
export function atBatch(graph: Graph, batch: number): Graph {
  return graphOf({
    ...graph,
    inputs: fixedTypes(graph.inputs, batch),
    state: fixedTypes(graph.state, batch),
    nodes: graph.nodes.map((node) => ({ ...node, attrs: fixed(node.op, node.attrs, batch) })),
  });
}

function fixedTypes(types: Graph['inputs'], batch: number): Graph['inputs'] {
  return new Map([...types].map(([name, { dtype, shape }]) => [name, { dtype, shape: withBatch(shape, batch) }]));
}

function fixed(op: string, attrs: Attrs, batch: number): Attrs {
  const kinds = opSpec(op).attrs;
  const entries = Object.entries(attrs).map(([name, value]) => [
    name,
    kinds[name] === 'shape' ? withBatch(value as Shape, batch) : value,
  ]);
  return Object.fromEntries(entries) as Attrs;
}
