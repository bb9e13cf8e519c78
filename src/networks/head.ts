import { RandomStream } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { weightedNodes } from '../graph/quantization.ts';
import { isStatic } from '../graph/shapes.ts';
import type { Attrs, Constant, Graph, Node } from '../graph/types.ts';

export interface Head {
  /** Name of the operator that is the head: a dense layer or a 1×1 convolution. */
  readonly layer: string;
  /** Classes that it answers with. */
  readonly classes: number;
}

/** The last layer with weights before the only output, which must be [batch, classes]; undefined where there is none. */
export function headOf(graph: Graph): Head | undefined {
  const node = headNode(graph);
  if (node === undefined) return undefined;
  const classes = columnsOf(node, graph.constants.get(node.inputs[1]!)!);
  return { layer: node.layer ?? node.outputs[0]!, classes };
}

/**
 * The graph with the head re-initialized for another number of classes, as PyTorch initializes a linear layer: uniform within
 * ±1/√(inputs), bias too. `UserError` where what follows the head does not take another number.
 */
export function withNewHead(graph: Graph, file: string, classes: number, seed: number): Graph {
  const node = headNode(graph);
  if (node === undefined) throw new UserError(`${file}: has no last layer with weights`, 'Set `student.head: keep`.');
  const [, weight] = node.inputs as [string, string];
  const old = graph.constants.get(weight)!;
  const before = columnsOf(node, old);
  const axis = columnAxis(node, old);
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

function headNode(graph: Graph): Node | undefined {
  const last = weightedNodes(graph).at(-1);
  const constant = last && graph.constants.get(last.inputs[1]!);
  return constant === undefined || last!.op === 'DepthwiseConv2dNative' ? undefined : last;
}

function columnAxis(node: Node, { type }: Constant): number {
  const rank = type.shape.length;
  return node.op === 'BatchMatMul' && node.attrs.transposeB === true ? rank - 2 : rank - 1;
}

function columnsOf(node: Node, constant: Constant): number {
  return Number(constant.type.shape[columnAxis(node, constant)]);
}

/** Constants of one value a class that are added to what the head gives. */
function biasesOf({ nodes, constants }: Graph, head: Node, classes: number): string[] {
  const sum = nodes.find(({ op, inputs }) => op === 'Add' && inputs.includes(head.outputs[0]!));
  return (sum?.inputs ?? []).filter((name) => {
    const { shape } = constants.get(name)?.type ?? { shape: [] };
    return shape.length === 1 && shape[0] === classes;
  });
}

/** The same nodes on other constants; what they give is inferred anew. Sizes behind the head follow its classes. */
function replayed(
  graph: Graph,
  content: ReadonlyMap<string, Constant>,
  { from, to, behind }: { readonly from: number; readonly to: number; readonly behind: Node },
): Graph {
  const builder = new GraphBuilder();
  for (const [name, type] of graph.inputs) builder.input(name, type);
  for (const [name, old] of graph.constants) {
    const { type, data } = content.get(name) ?? old;
    builder.constant(type, data, name);
  }
  const after = graph.nodes.indexOf(behind);
  graph.nodes.forEach(({ op, inputs, attrs, layer, outputs }, i) => {
    const sized = i > after ? resized(attrs, from, to) : attrs;
    builder.node(op, inputs, sized, { layer, outputs });
  });
  for (const [name, value] of graph.outputs) builder.output(name, value);
  return builder.build();
}

function resized(attrs: Attrs, from: number, to: number): Attrs {
  const { shape } = attrs;
  if (!Array.isArray(shape) || isStatic(shape as number[])) return attrs;
  return { ...attrs, shape: (shape as number[]).map((size) => (size === from ? to : size)) };
}
