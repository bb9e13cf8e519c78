import type { OpName } from './ops.ts';
import { symbolicSize } from './shapes.ts';
import type { Graph, Node, Shape } from './types.ts';

/** Multiply-accumulates of one node for one sample, from its input and output shapes. */
type Count = (inputs: readonly Shape[], output: Shape, attrs: Node['attrs']) => number;

/** Elements, the batch counted once: a symbolic size is a factor of it. */
const size = (shape: Shape): number => symbolicSize(shape).factor;
const product = (dims: Shape): number => dims.reduce<number>((total, dim) => total * Number(dim), 1);

/** Operators that multiply. Elementwise arithmetic, reductions and pooling do not count, as usual in this field. */
export const macs: Readonly<Partial<Record<OpName, Count>>> = {
  BatchMatMul: ([a], output, { transposeA }) => size(output) * size([a!.at(transposeA === true ? -2 : -1)!]),
  Conv2D: ([, filter], output) => size(output) * product(filter!.slice(0, 3)),
  DepthwiseConv2dNative: ([, filter], output) => size(output) * product(filter!.slice(0, 2)),
  /** A transposed convolution: each value that comes in meets its channel's whole window of every channel that goes out. */
  Conv2DBackpropInput: ([dy, filter]) => size(dy!) * product(filter!.slice(0, 3)),
};

/** Multiply-accumulates of one node; 0 for an operator that does not multiply. `shapeOf`: of a value by its name. */
export function macsOfNode({ op, inputs, outputs, attrs }: Node, shapeOf: (name: string) => Shape): number {
  return macs[op as OpName]?.(inputs.map(shapeOf), shapeOf(outputs[0]!), attrs) ?? 0;
}

/** Multiply-accumulates of an inference graph for one sample; of a graph of fixed batch size, for the whole batch. */
export function macsOf({ nodes, types }: Graph): number {
  const shape = (name: string): Shape => (name === '' ? [] : types.get(name)!.shape);
  return nodes.reduce((sum, node) => sum + macsOfNode(node, shape), 0);
}
