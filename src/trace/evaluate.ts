import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, TensorData } from '../graph/types.ts';
import { addNodes, notReadable, reachable } from './collect.ts';
import type { Value } from './value.ts';

/** Computes a graph's outputs from its inputs. */
export interface GraphEvaluator {
  runSync(graph: Graph, feeds: ReadonlyMap<string, TensorData>): ReadonlyMap<string, TensorData>;
}

let evaluator: GraphEvaluator | undefined;

/** Sets the evaluator of values that are read outside of a trace. */
export function setEvaluator(next: GraphEvaluator | undefined): GraphEvaluator | undefined {
  const previous = evaluator;
  evaluator = next;
  return previous;
}

/** Computes the data of `values`, and of pending values on the way that tensors still hold. */
export function evaluate(values: readonly Value[]): void {
  const { nodes, leaves } = reachable(values);
  for (const value of leaves) if (value.placeholder !== undefined) throw notReadable(value, values);
  if (evaluator === undefined)
    throw new Error('nothing can compute values yet: import src/runtime/onnxruntime/engine.ts, or call setEvaluator');
  const wanted = new Set(values.filter((value) => value.data === undefined));
  for (const node of nodes)
    for (const input of node.inputs) {
      if (input !== undefined && input.holders > 0 && input.data === undefined) wanted.add(input);
    }
  const roots = [...wanted];
  const builder = new GraphBuilder();
  const feeds = new Map<string, TensorData>();
  const nameOf = addNodes(builder, roots, (value) => {
    const data = value.data!;
    if (data.length === 1) return builder.constant(value.type, data);
    const name = builder.input(`x${feeds.size}`, value.type);
    feeds.set(name, data);
    return name;
  });
  roots.forEach((value, i) => builder.output(`y${i}`, nameOf(value)));
  const results = evaluator.runSync(builder.build(), feeds);
  roots.forEach((value, i) => {
    value.data = results.get(`y${i}`)!;
    delete value.node;
  });
}
