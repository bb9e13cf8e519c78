import { graphOf } from '../../builder.ts';
import type { Constant, Graph } from '../../types.ts';

/** The graph with its variables replaced by their content: a model that no longer learns. Updates fall away. */
export function freezeState(graph: Graph, content: ReadonlyMap<string, Constant>): Graph {
  const frozen = [...graph.state].map(([name, type]): [string, Constant] => {
    const value = content.get(name);
    if (value === undefined) throw new Error(`no content is given for the variable ${name}`);
    return [name, { type, data: value.data }];
  });
  const constants = new Map([...graph.constants, ...frozen]);
  return graphOf({ ...graph, state: new Map(), constants, updates: new Map() });
}
