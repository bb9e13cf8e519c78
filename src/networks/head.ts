import { RandomStream } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { graphOf } from '../graph/builder.ts';
import { handsOn } from '../graph/ops.ts';
import { isLayer } from '../graph/quantization.ts';
import { isStatic } from '../graph/shapes.ts';
import type { Attrs, Constant, Graph, Node } from '../graph/types.ts';

export interface Head {
  /** Name of the head's operator, a dense layer or a 1×1 convolution, or of several whose sum the answers are. */
  readonly layer: string;
  /** Number of its classes. */
  readonly classes: number;
}

/** The last layers before the only output, of which several are summed, if all have stored weights; else undefined. */
export function headOf(graph: Graph): Head | undefined {
  const found = foundHeads(graph);
  return found && { layer: found.map(({ node }) => nameOf(node)).join(' and '), classes: found[0].classes };
}

/**
 * The graph with its head re-initialized for another number of classes, as PyTorch initializes a linear layer: uniform within ±1/√(inputs), bias too.
 * `UserError` if ops after the head cannot take another number.
 */
export function withNewHead(graph: Graph, file: string, classes: number, seed: number): Graph {
  const heads = foundHeads(graph);
  if (heads === undefined) {
    const last = graph.nodes.findLast(({ op }) => isLayer(op)) ?? graph.nodes.at(-1);
    const what = last === undefined ? 'none' : `${nameOf(last)} (${last.op})`;
    throw new UserError(
      `${file}: its last layer is ${what}, no dense layer or 1×1 convolution with weights of its own`,
      'Set `student.head: keep` and let the model have as many outputs as there are classes.',
    );
  }
  const [{ node: first, classes: before }] = heads;
  const constants = new Map<string, Constant>();
  for (const { node, weight, axis } of heads) {
    const shape = (graph.constants.get(weight)!.type.shape as readonly number[]).with(axis, classes);
    const inputs = shape.reduce((product, size) => product * size, 1) / classes;
    const drawn = (name: string, dims: readonly number[]): Constant => {
      const random = new RandomStream(seed, 'head', name);
      const limit = 1 / Math.sqrt(inputs);
      const count = dims.reduce((product, size) => product * size, 1);
      const data = Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) * limit);
      return { type: { dtype: 'float32', shape: dims }, data };
    };
    constants.set(weight, drawn(weight, shape));
    for (const bias of biasesOf(graph, node, before)) constants.set(bias, drawn(bias, [classes]));
  }
  try {
    return replayed(graph, constants, { from: before, to: classes, behind: first });
  } catch (error) {
    throw new UserError(
      `${file}: what follows its last layer ${nameOf(first)} does not take ${classes} outputs instead of ${before}: ${(error as Error).message}`,
      'Export the model up to its last dense layer.',
    );
  }
}

function nameOf({ layer, outputs }: Node): string {
  return layer ?? outputs[0]!;
}

interface Found {
  readonly node: Node;
  /** Name of its weight constant, and the axis with an index for each class. */
  readonly weight: string;
  readonly axis: number;
  readonly classes: number;
}

/** The last layer with weights, and the layers whose results are added to its result; undefined if weights are computed or shared with another layer. */
function foundHeads(graph: Graph): readonly [Found, ...Found[]] | undefined {
  const last = graph.nodes.findLast(({ op }) => isLayer(op));
  const first = last && foundHead(graph, last);
  if (first === undefined) return undefined;
  const summed = (layersBefore(graph, [...graph.outputs.values()][0]!) ?? []).map((node) => foundHead(graph, node));
  const isSum = summed.every((one) => one?.classes === first.classes) && summed.some((one) => one?.node === last);
  return isSum ? (summed as [Found, ...Found[]]) : [first];
}

/** Layers whose sum an output is, in the order of the graph, apart from changes of size and layout; undefined if it is something else. */
function layersBefore(graph: Graph, output: string): Node[] | undefined {
  const found = new Set<Node>();
  const isSum = (value: string): boolean => {
    const node = graph.nodes.find(({ outputs }) => outputs.includes(value));
    if (node === undefined) return false;
    if (isLayer(node.op)) return found.add(node).size > 0;
    if (node.op !== 'Add' && node.op !== 'ResizeBilinear' && !handsOn(node.op, 'moved')) return false;
    return node.inputs.filter((input) => !graph.constants.has(input)).every(isSum);
  };
  return isSum(output) ? graph.nodes.filter((node) => found.has(node)) : undefined;
}

function foundHead(graph: Graph, node: Node): Found | undefined {
  if (node.op === 'DepthwiseConv2dNative') return undefined;
  const turned = graph.nodes.find(({ op, outputs }) => op === 'Transpose' && outputs[0] === node.inputs[1]);
  const weight = turned?.inputs[0] ?? node.inputs[1]!;
  const constant = graph.constants.get(weight);
  const rank = constant?.type.shape.length ?? 0;
  const users = graph.nodes.filter(({ inputs }) => inputs.includes(weight));
  if (constant?.type.dtype !== 'float32' || rank < 2 || users.length > 1) return undefined;
  const last = node.op === 'BatchMatMul' && node.attrs.transposeB === true ? rank - 2 : rank - 1;
  const axis = turned === undefined ? last : (turned.attrs.perm as number[])[last]!;
  return { node, weight, axis, classes: Number(constant.type.shape[axis]) };
}

/** Constants with a value for each class that are added to the head's output. */
function biasesOf({ nodes, constants }: Graph, head: Node, classes: number): string[] {
  const sum = nodes.find(({ op, inputs }) => op === 'Add' && inputs.includes(head.outputs[0]!));
  return (sum?.inputs ?? []).filter((name) => {
    const { shape } = constants.get(name)?.type ?? { shape: [] };
    return shape.length === 1 && shape[0] === classes;
  });
}

/** The same nodes with other constants; types are inferred again. Shapes after the head follow its classes. */
function replayed(
  graph: Graph,
  content: ReadonlyMap<string, Constant>,
  { from, to, behind }: { readonly from: number; readonly to: number; readonly behind: Node },
): Graph {
  const constants = new Map([...graph.constants].map(([name, old]) => [name, content.get(name) ?? old]));
  const after = graph.nodes.indexOf(behind);
  const nodes = graph.nodes.map((node, i) => (i > after ? { ...node, attrs: resized(node.attrs, from, to) } : node));
  return graphOf({ ...graph, constants, nodes });
}

function resized(attrs: Attrs, from: number, to: number): Attrs {
  const { shape } = attrs;
  if (!Array.isArray(shape) || isStatic(shape as number[])) return attrs;
  return { ...attrs, shape: (shape as number[]).map((size) => (size === from ? to : size)) };
}
