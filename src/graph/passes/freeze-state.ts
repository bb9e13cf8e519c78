import { GraphBuilder } from '../builder.ts';
import type { Constant, Graph } from '../types.ts';

/** The graph with its variables replaced by their content: a model that no longer learns. Updates fall away. */
export function freezeState(graph: Graph, content: ReadonlyMap<string, Constant>): Graph {
  const builder = new GraphBuilder();
  const renamed = new Map<string, string>();
  for (const [name, type] of graph.inputs) builder.input(name, type);
  for (const [name, { type, data }] of graph.constants) renamed.set(name, builder.constant(type, data, name));
  for (const [name, type] of graph.state) {
    const value = content.get(name);
    if (value === undefined) throw new Error(`no content is given for the variable ${name}`);
    renamed.set(name, builder.constant(type, value.data, name));
  }
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes) {
    builder.node(
      op,
      inputs.map((input) => renamed.get(input) ?? input),
      attrs,
      { layer, outputs },
    );
  }
  for (const [name, value] of graph.outputs) builder.output(name, renamed.get(value) ?? value);
  return builder.build();
}
