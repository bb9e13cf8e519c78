import { graphOf } from '../../builder.ts';
import type { Constant, Graph } from '../../types.ts';

/**
 * The graph with these constants as state, and their content: what is trained must neither be folded nor merged with what happens to
 * be equal before the training. None of either is a view: a short one would keep the whole file in memory that it was read from.
 */
export function liftConstants(
  graph: Graph,
  isLifted: (name: string) => boolean,
): { readonly graph: Graph; readonly content: ReadonlyMap<string, Constant> } {
  const [constants, content] = [new Map<string, Constant>(), new Map<string, Constant>()];
  const state = new Map(graph.state);
  for (const [name, { type, data }] of graph.constants) {
    const constant = { type, data: data.byteLength < data.buffer.byteLength ? data.slice() : data };
    (isLifted(name) ? content : constants).set(name, constant);
    if (isLifted(name)) state.set(name, type);
  }
  return { graph: graphOf({ ...graph, state, constants }), content };
}
