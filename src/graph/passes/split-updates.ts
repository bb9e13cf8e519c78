import { GraphBuilder } from '../builder.ts';
import { staticSize } from '../shapes.ts';
import type { Graph, Node } from '../types.ts';

/** The ops of optimizers that are computed number by number. `Identity` and `Reshape` compute nothing. */
const UPDATE_OPS = ['Add', 'Sub', 'Multiply', 'RealDiv', 'Sqrt', 'Square', 'Neg', 'Identity', 'Reshape'] as const;
export type UpdateOp = (typeof UPDATE_OPS)[number];

/** A node that a fused update computes; its values have as many elements as the variables, or one. */
interface UpdateNode {
  readonly op: UpdateOp;
  readonly inputs: readonly string[];
  readonly output: string;
}

/** New contents of variables of one size that follow number by number from what they hold and from other values. */
export interface FusedUpdate {
  readonly elements: number;
  /** Values that are read number by number: variables, feeds, and results of the rest of the graph. */
  readonly vectors: readonly string[];
  /** Values that are read as one number. */
  readonly scalars: readonly string[];
  readonly nodes: readonly UpdateNode[];
  /** The value that becomes the content of a variable. */
  readonly writes: ReadonlyMap<string, string>;
}

export interface SplitGraph {
  /** The graph without the fused updates. Each value that they read of it is an output of the value's name behind `PART_PREFIX`. */
  readonly rest: Graph;
  readonly updates: readonly FusedUpdate[];
}

export const PART_PREFIX = 'update/';

/**
 * Takes the updates of a step apart that are arithmetic on every number of a variable by itself, as those of optimizers, moving
 * averages and masks are: an engine can then compute each in one pass over memory instead of one for each node. The arithmetic is
 * the same, node by node. Undefined where there is none. The graph has fixed shapes.
 */
export function splitUpdates(graph: Graph): SplitGraph | undefined {
  const taken = takenNodes(graph);
  const made = outputsOf(taken);
  const written = new Map([...graph.updates].filter(([, value]) => made.has(value)));
  if (written.size === 0) return undefined;
  const updates = groupsOf(graph, taken, written).map((nodes) => fusedUpdate(graph, nodes, written));
  return { rest: restOf(graph, taken, written, updates), updates };
}

const outputsOf = (nodes: Iterable<Node>): ReadonlySet<string> => new Set([...nodes].flatMap(({ outputs }) => outputs));

/** Nodes whose results only updates read. None reads a variable that another part of the graph gives new content meanwhile. */
function takenNodes(graph: Graph): ReadonlySet<Node> {
  const blocked = new Set<string>();
  for (;;) {
    const taken = nodesFor(graph, blocked);
    const made = outputsOf(taken);
    const isMixed = (name: string): boolean => graph.updates.has(name) && !made.has(graph.updates.get(name)!);
    const found = [...taken].flatMap(({ inputs }) => inputs.filter(isMixed));
    if (found.length === 0) return taken;
    for (const name of found) blocked.add(name);
  }
}

function nodesFor(graph: Graph, blocked: ReadonlySet<string>): ReadonlySet<Node> {
  const size = sizesOf(graph);
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const name of new Set(node.inputs)) {
      const of = readers.get(name);
      if (of === undefined) readers.set(name, [node]);
      else of.push(node);
    }
  const isResult = new Set(graph.outputs.values());
  const isUpdate = new Set(graph.updates.values());
  const taken = new Set<Node>();
  for (const node of [...graph.nodes].reverse()) {
    const [value] = node.outputs as readonly [string];
    const of = readers.get(value) ?? [];
    const isRead = isUpdate.has(value) || of.length > 0;
    const isOurs = of.every((reader) => taken.has(reader) && size(reader.outputs[0]!) === size(value));
    if (isRead && isOurs && !isResult.has(value) && isFusable(node, graph, blocked)) taken.add(node);
  }
  return taken;
}

function isFusable({ op, inputs, outputs }: Node, graph: Graph, blocked: ReadonlySet<string>): boolean {
  if (!UPDATE_OPS.includes(op as UpdateOp)) return false;
  const size = sizesOf(graph);
  const elements = size(outputs[0]!);
  const isFloat = [...inputs, ...outputs].every((name) => graph.types.get(name)!.dtype === 'float32');
  const fits = (name: string): boolean => size(name) === 1 || (size(name) === elements && !graph.constants.has(name));
  return isFloat && inputs.every((name) => fits(name) && !blocked.has(name));
}

const sizesOf =
  ({ types }: Graph) =>
  (name: string): number =>
    staticSize(types.get(name)!.shape);

/** Nodes that read results of each other, or a variable that is written, are computed together: what is read is then still old. */
function groupsOf(graph: Graph, taken: ReadonlySet<Node>, written: ReadonlyMap<string, string>): Node[][] {
  const size = sizesOf(graph);
  const groups = new Map<string, { readonly keys: readonly string[]; readonly nodes: readonly Node[] }>();
  const join = (keys: readonly string[], node: Node): void => {
    const found = [...new Set(keys.flatMap((key) => groups.get(key) ?? []))];
    const all = {
      keys: [...found.flatMap((one) => one.keys), ...keys],
      nodes: [...found.flatMap((one) => one.nodes), node],
    };
    for (const key of all.keys) groups.set(key, all);
  };
  const made = outputsOf(taken);
  const variableOf = new Map([...written].map(([name, value]) => [value, name]));
  for (const node of graph.nodes) {
    if (!taken.has(node)) continue;
    const [value] = node.outputs as readonly [string];
    const isShared = (name: string): boolean => size(name) === size(value) && (made.has(name) || written.has(name));
    const variable = variableOf.get(value);
    join([value, ...node.inputs.filter(isShared), ...(variable === undefined ? [] : [variable])], node);
  }
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  return [...new Set(groups.values())].map(({ nodes }) => [...nodes].sort((a, b) => order.get(a)! - order.get(b)!));
}

function fusedUpdate(graph: Graph, nodes: readonly Node[], written: ReadonlyMap<string, string>): FusedUpdate {
  const size = sizesOf(graph);
  const made = outputsOf(nodes);
  const writes = new Map([...written].filter(([, value]) => made.has(value)));
  const elements = size(nodes[0]!.outputs[0]!);
  const read = [...new Set(nodes.flatMap(({ inputs }) => inputs))].filter((name) => !made.has(name));
  const isVector = (name: string): boolean => size(name) === elements && !graph.constants.has(name);
  return {
    elements,
    vectors: [...new Set([...read.filter(isVector), ...writes.keys()])],
    scalars: read.filter((name) => !isVector(name)),
    nodes: nodes.map(({ op, inputs, outputs }) => ({ op: op as UpdateOp, inputs, output: outputs[0]! })),
    writes,
  };
}

function restOf(
  graph: Graph,
  taken: ReadonlySet<Node>,
  written: ReadonlyMap<string, string>,
  fused: readonly FusedUpdate[],
): Graph {
  const nodes = graph.nodes.filter((node) => !taken.has(node));
  const made = outputsOf(nodes);
  const handedOver = new Set(
    fused.flatMap(({ vectors, scalars }) => [...vectors, ...scalars]).filter((name) => made.has(name)),
  );
  const updates = [...graph.updates].filter(([name]) => !written.has(name));
  const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values()]);
  for (const [name, value] of updates) used.add(name).add(value);
  const builder = new GraphBuilder();
  for (const [name, type] of graph.inputs) if (used.has(name)) builder.input(name, type);
  for (const [name, type] of graph.state) if (used.has(name)) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) if (used.has(name)) builder.constant(type, data, name);
  for (const { op, inputs, attrs, outputs, layer } of nodes) builder.node(op, inputs, attrs, { layer, outputs });
  for (const [name, value] of graph.outputs) builder.output(name, value);
  for (const name of handedOver) builder.output(PART_PREFIX + name, name);
  for (const [name, value] of updates) builder.update(name, value);
  return builder.build();
}
