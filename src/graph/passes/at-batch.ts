import { GraphBuilder } from '../builder.ts';
import { opSpec } from '../ops.ts';
import { withBatch } from '../shapes.ts';
import type { Attrs, Graph, Shape } from '../types.ts';

/** The graph for batches of one size: no symbolic dimension is left. */
export function atBatch(graph: Graph, batch: number): Graph {
  const builder = new GraphBuilder();
  for (const [name, { dtype, shape }] of graph.inputs) builder.input(name, { dtype, shape: withBatch(shape, batch) });
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) builder.constant(type, data, name);
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes)
    builder.node(op, inputs, fixed(op, attrs, batch), { layer, outputs });
  for (const [name, value] of graph.outputs) builder.output(name, value);
  for (const [name, value] of graph.updates) builder.update(name, value);
  return builder.build();
}

function fixed(op: string, attrs: Attrs, batch: number): Attrs {
  const kinds = opSpec(op).attrs;
  const entries = Object.entries(attrs).map(([name, value]) => [
    name,
    kinds[name] === 'shape' ? withBatch(value as Shape, batch) : value,
  ]);
  return Object.fromEntries(entries) as Attrs;
}
