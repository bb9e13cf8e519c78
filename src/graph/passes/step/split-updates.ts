import { graphOf } from '../../builder.ts';
import { staticSize } from '../../shapes.ts';
import type { Attrs, Graph, Node, TensorType } from '../../types.ts';
import { updatePasses, UPDATE_OPS } from './fused-update.ts';
import type { FusedUpdate, UpdateOp } from './fused-update.ts';
import { readersOf } from '../uses.ts';

/**
 * Numbers that the processor computes at once. A matrix whose width is no multiple of them is updated by ONNX Runtime's operators, not by the fused
 * kernel.
 */
const COLUMNS_AT_ONCE = 4;

export interface SplitGraph {
  /** The graph without the fused updates. Each value that they read of it is an output of the value's name behind `PART_PREFIX`. */
  readonly rest: Graph;
  readonly updates: readonly FusedUpdate[];
  /**
   * Sums of rows by id that the updates alone read, as the gradients of embeddings: the graph gives rows and ids instead of a sum, which has a
   * row for each word of a vocabulary, and most are zero. Updates read them by rows.
   */
  readonly rowSums: ReadonlyMap<string, RowSum>;
}

/** Names of the rows and ids that are summed, and the number of sums. */
interface RowSum {
  readonly rows: string;
  readonly ids: string;
  readonly segments: number;
}

export const PART_PREFIX = 'update/';

/**
 * Takes the updates of a step apart that are arithmetic on every number of a variable by itself, as those of optimizers, moving
 * averages and masks are: an engine can then compute each in one pass over memory instead of one for each node. So are those whose
 * factors follow from sums of columns, as a limit on norms has them, in a pass more. The arithmetic is the same, node by node; a column
 * is summed from its first row to its last, as ONNX Runtime does. Undefined where there is none. The graph has fixed shapes.
 */
export function splitUpdates(graph: Graph): SplitGraph | undefined {
  const taken = takenNodes(graph);
  const written = writtenBy(graph, taken);
  if (written.size === 0) return undefined;
  const all = [...written];
  const places = new Map<string, number[]>();
  all.forEach(([, value], i) => places.set(value, [...(places.get(value) ?? []), i]));
  const updates = groupsOf(graph, taken).map((nodes) => {
    const own = nodes.flatMap(({ outputs }) => places.get(outputs[0]!) ?? []).sort((a, b) => a - b);
    return fusedUpdate(graph, nodes, new Map(own.map((i) => all[i]!)));
  });
  const rowSums = rowSumsOf(graph, taken, updates);
  const rest = restOf(graph, taken, written, updates, rowSums);
  return { rest, updates: updates.map((update) => byRows(update, rowSums)), rowSums };
}

/** The update, which reads these sums by rows. */
function byRows(update: FusedUpdate, rowSums: SplitGraph['rowSums']): FusedUpdate {
  const rowed = update.vectors.filter((name) => rowSums.has(name));
  return rowed.length === 0 ? update : { ...update, rowed, row: update.elements / rowSums.get(rowed[0]!)!.segments };
}

const outputsOf = (nodes: Iterable<Node>): ReadonlySet<string> => new Set([...nodes].flatMap(({ outputs }) => outputs));

/** The value that becomes the content of each variable that these nodes update. */
function writtenBy(graph: Graph, taken: ReadonlySet<Node>): ReadonlyMap<string, string> {
  const made = outputsOf(taken);
  return new Map([...graph.updates].filter(([, value]) => made.has(value)));
}

/** Nodes whose results only updates read. None reads a variable that another part of the graph gives new content meanwhile. */
function takenNodes(graph: Graph): ReadonlySet<Node> {
  const blocked = new Set<string>();
  const left = new Set<Node>();
  const columns = columnsOf(graph);
  const size = sizesOf(graph);
  for (;;) {
    const taken = nodesFor(graph, columns, blocked, left);
    const made = outputsOf(taken);
    const isMixed = (name: string): boolean => graph.updates.has(name) && !made.has(graph.updates.get(name)!);
    const found = [...taken].flatMap(({ inputs }) => inputs.filter(isMixed));
    // A fused update holds sums of its own columns only: nodes that read other columns, or sum a value from outside, are left to the graph.
    const reads = ({ op, inputs, outputs }: Node): boolean =>
      inputs.some((name) => !made.has(name) && (op === 'Sum' || (size(name) > 1 && size(name) < size(outputs[0]!))));
    const strange = [...taken].filter(reads);
    const of = found.length + strange.length > 0 ? strange : sumsOfOtherRows(graph, taken);
    if (found.length + of.length === 0) return taken;
    for (const name of found) blocked.add(name);
    for (const node of of) left.add(node);
  }
}

/** Sums in an update that has rows of different lengths. */
function sumsOfOtherRows(graph: Graph, taken: ReadonlySet<Node>): Node[] {
  const size = sizesOf(graph);
  return groupsOf(graph, taken).flatMap((nodes) => {
    const sums = nodes.filter(({ op }) => op === 'Sum');
    return new Set(sums.map(({ outputs }) => size(outputs[0]!))).size > 1 ? sums : [];
  });
}

/** Values that have one number for each column of a value, as its sums do and what follows from them alone. */
function columnsOf(graph: Graph): ReadonlySet<string> {
  const size = sizesOf(graph);
  const columns = new Set<string>();
  for (const { op, inputs, outputs, attrs } of graph.nodes) {
    const [value] = outputs as readonly [string];
    const isArithmetic = UPDATE_OPS.includes(op as (typeof UPDATE_OPS)[number]);
    const follows =
      isArithmetic &&
      inputs.some((name) => columns.has(name)) &&
      inputs.every((name) => columns.has(name) || size(name) === 1);
    if (op === 'Sum' ? sumsColumns(graph.types.get(inputs[0]!)!, attrs) : follows && isRow(graph.types.get(value)!))
      columns.add(value);
  }
  return columns;
}

/** True for a sum over all axes but the last, of several rows. */
function sumsColumns({ dtype, shape }: TensorType, { axes }: Attrs): boolean {
  const width = Number(shape.at(-1));
  const isOfAll = (axes as readonly number[]).join() === [...shape.keys()].slice(0, -1).join();
  return dtype === 'float32' && isOfAll && width > 1 && width % COLUMNS_AT_ONCE === 0 && staticSize(shape) > width;
}

/** True if the last axis has all the numbers. */
const isRow = ({ shape }: TensorType): boolean => staticSize(shape) === shape.at(-1);

function nodesFor(
  graph: Graph,
  columns: ReadonlySet<string>,
  blocked: ReadonlySet<string>,
  left: ReadonlySet<Node>,
): ReadonlySet<Node> {
  const size = sizesOf(graph);
  const readers = readersOf(graph.nodes);
  const isResult = new Set(graph.outputs.values());
  const isUpdate = new Set(graph.updates.values());
  const taken = new Set<Node>();
  for (const node of [...graph.nodes].reverse()) {
    const [value] = node.outputs as readonly [string];
    const of = readers.get(value) ?? [];
    const isRead = isUpdate.has(value) ? !columns.has(value) : of.length > 0;
    const isOurs = of.every((reader) => taken.has(reader) && passesOn(value, reader, size, columns));
    if (isRead && isOurs && !isResult.has(value) && !left.has(node) && isFusable(node, graph, columns, blocked))
      taken.add(node);
  }
  return taken;
}

/** True if a fused update can hand a value on to a node: number by number, to sums, or from sums of columns to whole rows. */
function passesOn(
  value: string,
  { op, outputs }: Node,
  size: (name: string) => number,
  columns: ReadonlySet<string>,
): boolean {
  const [to] = outputs as readonly [string];
  if (columns.has(value)) return columns.has(to) || size(to) > size(value);
  return size(to) === size(value) || op === 'Sum';
}

function isFusable(
  { op, inputs, outputs }: Node,
  graph: Graph,
  columns: ReadonlySet<string>,
  blocked: ReadonlySet<string>,
): boolean {
  const size = sizesOf(graph);
  const [output] = outputs as readonly [string];
  const elements = size(output);
  const width = graph.types.get(output)!.shape.at(-1);
  const isFloat = [...inputs, ...outputs].every((name) => graph.types.get(name)!.dtype === 'float32');
  const isAcross = (name: string): boolean => columns.has(name) && size(name) === width;
  const fits = (name: string): boolean =>
    size(name) === 1 || (size(name) === elements && !graph.constants.has(name)) || isAcross(name);
  if (!isFloat || inputs.some((name) => blocked.has(name))) return false;
  if (op === 'Sum') return columns.has(output);
  // Extremes of columns alone: of a zero and a negative one, which of the two it is differs from ONNX Runtime.
  if ((op === 'Minimum' || op === 'Maximum') && !columns.has(output)) return false;
  return UPDATE_OPS.includes(op as (typeof UPDATE_OPS)[number]) && inputs.every(fits);
}

const sizesOf =
  ({ types }: Graph) =>
  (name: string): number =>
    staticSize(types.get(name)!.shape);

/** Nodes that read results of each other, or a variable that is written, are computed together: their reads then see the old content. */
function groupsOf(graph: Graph, taken: ReadonlySet<Node>): Node[][] {
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
  const written = writtenBy(graph, taken);
  const variableOf = new Map([...written].map(([name, value]) => [value, name]));
  for (const node of graph.nodes) {
    if (!taken.has(node)) continue;
    const [value] = node.outputs as readonly [string];
    const isShared = (name: string): boolean => made.has(name) || (size(name) === size(value) && written.has(name));
    const variable = variableOf.get(value);
    join([value, ...node.inputs.filter(isShared), ...(variable === undefined ? [] : [variable])], node);
  }
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  return [...new Set(groups.values())].map(({ nodes }) => [...nodes].sort((a, b) => order.get(a)! - order.get(b)!));
}

function fusedUpdate(graph: Graph, nodes: readonly Node[], writes: ReadonlyMap<string, string>): FusedUpdate {
  const size = sizesOf(graph);
  const made = outputsOf(nodes);
  const elements = Math.max(...[...made].map(size));
  const read = [...new Set(nodes.flatMap(({ inputs }) => inputs))].filter((name) => !made.has(name));
  const isVector = (name: string): boolean => size(name) === elements && !graph.constants.has(name);
  const vectors = [...new Set([...read.filter(isVector), ...writes.keys()])];
  const ordered = nodes.map(({ op, inputs, outputs }) => ({ op: op as UpdateOp, inputs, output: outputs[0]! }));
  const { columns, waiting } = updatePasses({ vectors, nodes: ordered, writes });
  return {
    elements,
    row: columns.length === 0 ? elements : size(columns[0]!),
    vectors: [...vectors, ...waiting],
    rowed: [],
    columns,
    scalars: read.filter((name) => !isVector(name)),
    nodes: ordered,
    writes,
  };
}

function rowSumsOf(
  graph: Graph,
  taken: ReadonlySet<Node>,
  updates: readonly FusedUpdate[],
): ReadonlyMap<string, RowSum> {
  const readers = readersOf(graph.nodes);
  const ends = new Set([...graph.outputs.values(), ...graph.updates.values()]);
  const made = outputsOf(graph.nodes.filter((node) => !taken.has(node)));
  const areTaken = (name: string): boolean[] => (readers.get(name) ?? []).map((reader) => taken.has(reader));
  const reshapes = new Map(
    graph.nodes.flatMap(({ op, inputs, outputs }) => (op === 'Reshape' ? [[outputs[0], inputs[0]!]] : [])),
  );
  // The same numbers: ONNX Runtime would copy a reshaped output.
  const unshaped = (name: string): string => {
    const source = reshapes.get(name);
    return source !== undefined && made.has(source) && !areTaken(source).includes(true) ? source : name;
  };
  const isOurs = ({ op, inputs, outputs }: Node): boolean => {
    const [sum] = outputs as readonly [string];
    const isTaken = areTaken(sum).length > 0 && !areTaken(sum).includes(false) && !ends.has(sum);
    return (
      op === 'UnsortedSegmentSum' && isTaken && inputs.every((name) => made.has(name) && !areTaken(name).includes(true))
    );
  };
  const sums = new Map(
    graph.nodes
      .filter(isOurs)
      .map(({ inputs: [rows, ids], outputs: [sum] }): [string, RowSum] => [
        sum!,
        { rows: unshaped(rows!), ids: ids!, segments: Number(graph.types.get(sum!)!.shape[0]) },
      ]),
  );
  // An update goes through rows of one width alone, in whole vectors.
  const isReadable = ({ vectors, elements, columns }: FusedUpdate): boolean => {
    const [segments, ...others] = new Set(vectors.flatMap((name) => sums.get(name)?.segments ?? []));
    return columns.length === 0 && others.length === 0 && (elements / segments!) % COLUMNS_AT_ONCE === 0;
  };
  return new Map(
    [...sums].filter(([sum]) => updates.every((update) => !update.vectors.includes(sum) || isReadable(update))),
  );
}

function restOf(
  graph: Graph,
  taken: ReadonlySet<Node>,
  written: ReadonlyMap<string, string>,
  fused: readonly FusedUpdate[],
  rowSums: ReadonlyMap<string, RowSum>,
): Graph {
  const nodes = graph.nodes.filter((node) => !taken.has(node) && !rowSums.has(node.outputs[0]!));
  const made = outputsOf(nodes);
  const summed = [...rowSums.values()].flatMap(({ rows, ids }) => [rows, ids]);
  const handedOver = new Set(
    [...fused.flatMap(({ vectors, scalars }) => [...vectors, ...scalars]), ...summed].filter((name) => made.has(name)),
  );
  const updates = [...graph.updates].filter(([name]) => !written.has(name));
  const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.values()]);
  for (const [name, value] of updates) used.add(name).add(value);
  const read = <T>(all: ReadonlyMap<string, T>): Map<string, T> => new Map([...all].filter(([name]) => used.has(name)));
  return graphOf({
    inputs: read(graph.inputs),
    state: read(graph.state),
    constants: read(graph.constants),
    nodes,
    outputs: new Map([...graph.outputs, ...[...handedOver].map((name) => [PART_PREFIX + name, name] as const)]),
    updates: new Map(updates),
  });
}
