import type { OpName } from './ops.ts';
import { symbolicSize } from './shapes.ts';
import type { Graph, Node, Shape } from './types.ts';

/** Multiply-accumulates of one node for one sample, from its input and output shapes. */
type Count = (inputs: readonly Shape[], output: Shape, attrs: Node['attrs']) => number;

/** Number of elements; a symbolic size counts as its factor, that is, for a batch of 1. */
const size = (shape: Shape): number => symbolicSize(shape).factor;
const product = (dims: Shape): number => dims.reduce<number>((total, dim) => total * Number(dim), 1);

/** Operators that multiply. Elementwise arithmetic, reductions and pooling do not count, by convention. */
export const macs: Readonly<Partial<Record<OpName, Count>>> = {
  BatchMatMul: ([a], output, { transposeA }) => size(output) * size([a!.at(transposeA === true ? -2 : -1)!]),
  Conv2D: ([, filter], output) => size(output) * product(filter!.slice(0, 3)),
  DepthwiseConv2dNative: ([, filter], output) => size(output) * product(filter!.slice(0, 2)),
  /** A transposed convolution: each input value is multiplied by its channel's whole window of every output channel. */
  Conv2DBackpropInput: ([dy, filter]) => size(dy!) * product(filter!.slice(0, 3)),
};

/** Multiply-accumulates of a node; 0 for operators that do not multiply. `shapeOf`: shape of a value by its name. */
export function macsOfNode({ op, inputs, outputs, attrs }: Node, shapeOf: (name: string) => Shape): number {
  return macs[op as OpName]?.(inputs.map(shapeOf), shapeOf(outputs[0]!), attrs) ?? 0;
}

/** Multiply-accumulates of an inference graph for one sample; for a graph of fixed batch size, for the whole batch. */
export function macsOf({ nodes, types }: Graph): number {
  const shape = (name: string): Shape => (name === '' ? [] : types.get(name)!.shape);
  return nodes.reduce((sum, node) => sum + macsOfNode(node, shape), 0);
}
