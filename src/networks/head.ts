import { RandomStream } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { graphOf } from '../graph/builder.ts';
import { isLayer } from '../graph/quantization.ts';
import { isStatic } from '../graph/shapes.ts';
import type { Attrs, Constant, Graph, Node } from '../graph/types.ts';

export interface Head {
  /** Name of the head's operator: a dense layer or a 1×1 convolution. */
  readonly layer: string;
  /** Number of its classes. */
  readonly classes: number;
}

/** The last layer before the only output, if it has stored weights; else undefined. */
export function headOf(graph: Graph): Head | undefined {
  const found = foundHead(graph);
  return found && { layer: found.node.layer ?? found.node.outputs[0]!, classes: found.classes };
}

/**
 * The graph with its head re-initialized for another number of classes, as PyTorch initializes a linear layer: uniform within ±1/√(inputs), bias too.
 * `UserError` if ops after the head cannot take another number.
 */
export function withNewHead(graph: Graph, file: string, classes: number, seed: number): Graph {
  const head = foundHead(graph);
  if (head === undefined) {
    const last = graph.nodes.findLast(({ op }) => isLayer(op)) ?? graph.nodes.at(-1);
    const what = last === undefined ? 'none' : `${last.layer ?? last.outputs[0]!} (${last.op})`;
    throw new UserError(
      `${file}: its last layer is ${what}, no dense layer or 1×1 convolution with weights of its own`,
      'Set `student.head: keep` and let the model have as many outputs as there are classes.',
    );
  }
  const { node, weight, axis, classes: before } = head;
  const old = graph.constants.get(weight)!;
  const shape = (old.type.shape as readonly number[]).with(axis, classes);
  const inputs = shape.reduce((product, size) => product * size, 1) / classes;
  const drawn = (name: string, dims: readonly number[]): Constant => {
    const random = new RandomStream(seed, 'head', name);
    const limit = 1 / Math.sqrt(inputs);
    const count = dims.reduce((product, size) => product * size, 1);
    const data = Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) * limit);
    return { type: { dtype: 'float32', shape: dims }, data };
  };
  const constants = new Map([[weight, drawn(weight, shape)]]);
  for (const bias of biasesOf(graph, node, before)) constants.set(bias, drawn(bias, [classes]));
  try {
    return replayed(graph, constants, { from: before, to: classes, behind: node });
  } catch (error) {
    throw new UserError(
      `${file}: what follows its last layer ${node.layer ?? weight} does not take ${classes} classes instead of ${before}: ${(error as Error).message}`,
      'Export the model up to its last dense layer.',
    );
  }
}

interface Found extends Head {
  readonly node: Node;
  /** Name of its weight constant, and the axis with an index for each class. */
  readonly weight: string;
  readonly axis: number;
}

/** The last layer with weights; undefined if its weights are computed or shared with another layer. */
function foundHead(graph: Graph): Found | undefined {
  const node = graph.nodes.findLast(({ op }) => isLayer(op));
  if (node === undefined || node.op === 'DepthwiseConv2dNative') return undefined;
  const turned = graph.nodes.find(({ op, outputs }) => op === 'Transpose' && outputs[0] === node.inputs[1]);
  const weight = turned?.inputs[0] ?? node.inputs[1]!;
  const constant = graph.constants.get(weight);
  const rank = constant?.type.shape.length ?? 0;
  const users = graph.nodes.filter(({ inputs }) => inputs.includes(weight));
  if (constant?.type.dtype !== 'float32' || rank < 2 || users.length > 1) return undefined;
  const last = node.op === 'BatchMatMul' && node.attrs.transposeB === true ? rank - 2 : rank - 1;
  const axis = turned === undefined ? last : (turned.attrs.perm as number[])[last]!;
  const classes = Number(constant.type.shape[axis]);
  return { node, weight, axis, classes, layer: node.layer ?? node.outputs[0]! };
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
