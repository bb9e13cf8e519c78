import { GraphBuilder } from '../builder.ts';
import type { Constant, Graph } from '../types.ts';

/**
 * The graph with these constants as state, and their content: what is trained must neither be folded nor merged with what happens to
 * be equal before the training. None of either is a view: a short one would keep the whole file in memory that it was read from.
 */
export function liftConstants(
  graph: Graph,
  isLifted: (name: string) => boolean,
): { readonly graph: Graph; readonly content: ReadonlyMap<string, Constant> } {
  const builder = new GraphBuilder();
  const content = new Map<string, Constant>();
  for (const [name, type] of graph.inputs) builder.input(name, type);
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) {
    const constant = { type, data: data.byteLength < data.buffer.byteLength ? data.slice() : data };
    if (!isLifted(name)) {
      builder.constant(type, constant.data, name);
      continue;
    }
    builder.state(name, type);
    content.set(name, constant);
  }
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes) builder.node(op, inputs, attrs, { layer, outputs });
  for (const [name, value] of graph.outputs) builder.output(name, value);
  for (const [name, value] of graph.updates) builder.update(name, value);
  return { graph: builder.build(), content };
}
