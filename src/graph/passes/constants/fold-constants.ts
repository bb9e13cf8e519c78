import { graphOf } from '../../builder.ts';
import { isStatic, staticSize } from '../../shapes.ts';
import type { AttrValue, Graph, Node, TensorData } from '../../types.ts';
import { removeDeadCode } from '../simplify/dead-code.ts';

/** Computes the outputs of a graph without inputs. */
export type Evaluate = (graph: Graph) => ReadonlyMap<string, TensorData>;

/** Elements up to which a result is stored even if it is larger than its operands. */
const SMALL = 1024;

/** Computes now what depends on constants alone, unless that would make the graph larger. */
export function foldConstants(graph: Graph, evaluate: Evaluate): Graph {
  const part = constantPart(graph);
  return part === undefined ? graph : withResults(graph, evaluate(part));
}

/** The part of a graph that depends on constants alone, without inputs, whose outputs the rest reads; undefined where there is none. */
export function constantPart(graph: Graph): Graph | undefined {
  const foldable = constantNodes(graph);
  const folded = new Set(foldable.flatMap(({ outputs }) => outputs));
  const used = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  for (const node of graph.nodes) if (!foldable.includes(node)) node.inputs.forEach((name) => used.add(name));
  const wanted = [...folded].filter((name) => used.has(name));
  if (wanted.length === 0) return undefined;
  const none = new Map();
  const outputs = new Map(wanted.map((name) => [name, name]));
  const part = { constants: graph.constants, nodes: foldable, outputs, inputs: none, state: none, updates: none };
  return removeDeadCode(graphOf(part));
}

/** The graph with the results of its `constantPart` as constants. */
export function withResults(graph: Graph, results: ReadonlyMap<string, TensorData>): Graph {
  const foldable = constantNodes(graph);
  const made = [...results].map(([name, data]) => [name, { type: graph.types.get(name)!, data }] as const);
  const constants = new Map([...graph.constants, ...made]);
  return removeDeadCode(
    graphOf({ ...graph, constants, nodes: graph.nodes.filter((node) => !foldable.includes(node)) }),
  );
}

function constantNodes(graph: Graph): Node[] {
  const known = new Set(graph.constants.keys());
  const size = (name: string): number => (name === '' ? 0 : staticSize(graph.types.get(name)!.shape));
  return graph.nodes.filter(({ inputs, attrs, outputs }) => {
    if (!inputs.every((name) => name === '' || known.has(name)) || !Object.values(attrs).every(isFixed)) return false;
    if (!outputs.every((name) => isStatic(graph.types.get(name)!.shape))) return false;
    const [before, after] = [inputs, outputs].map((names) => names.reduce((sum, name) => sum + size(name), 0));
    if (after! > SMALL && after! > before!) return false;
    for (const name of outputs) known.add(name);
    return true;
  });
}

/** No symbolic size in it. */
function isFixed(value: AttrValue): boolean {
  return typeof value !== 'object' || value.every((item) => typeof item === 'number');
}
