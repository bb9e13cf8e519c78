import type { Constant, Graph } from '../../types.ts';

/** The graph with other content in the constants named, of the types that they have. */
export function replaceConstants(graph: Graph, content: ReadonlyMap<string, Constant>): Graph {
  for (const [name, { type, data }] of content) {
    const before = graph.constants.get(name);
    if (before === undefined) throw new Error(`the graph has no constant ${name}`);
    if (before.data.length !== data.length)
      throw new Error(`constant ${name}: ${data.length} values for [${type.shape.join(', ')}]`);
  }
  const constants = [...graph.constants].map(([name, constant]) => {
    const data = content.get(name)?.data;
    return [name, data === undefined ? constant : { type: constant.type, data }] as const;
  });
  return { ...graph, constants: new Map(constants) };
}
