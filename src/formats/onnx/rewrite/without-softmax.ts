import { producersOf, readersOf } from '../../../graph/passes/uses.ts';
import { RESHAPING } from '../model.ts';
import type { Model, OnnxNode } from '../model.ts';

/** Operators between a softmax and an output that leave its numbers as they are. */
const HANDING_ON: ReadonlySet<string> = new Set([...RESHAPING, 'Cast']);

/** The model with logits in place of a softmax over classes at its end; the same model if it ends in none. `output`: default the only one. */
export function withoutSoftmax(model: Model, output?: string): Model {
  const { nodes, outputs } = model.graph;
  const softmax = softmaxBefore(model, output ?? (outputs.length === 1 ? outputs[0]!.name : ''));
  if (softmax === undefined) return model;
  const identity = { ...softmax, op: 'Identity', attrs: new Map() };
  return { ...model, graph: { ...model.graph, nodes: nodes.map((node) => (node === softmax ? identity : node)) } };
}

/** The softmax of which nothing but the output is made. */
function softmaxBefore({ graph: { nodes, outputs } }: Model, output: string): OnnxNode | undefined {
  const [producers, readers] = [producersOf(nodes), readersOf(nodes)];
  const ends = new Set(outputs.map(({ name }) => name));
  let node = producers.get(output);
  while (node !== undefined && HANDING_ON.has(node.op)) {
    const from = node.inputs[0]!;
    if (ends.has(from) || readers.get(from)!.length > 1) return undefined;
    node = producers.get(from);
  }
  const axis = node?.attrs.get('axis')?.value ?? -1;
  return node?.op === 'Softmax' && [-1, 1, 3].includes(Number(axis)) ? node : undefined;
}
