import { staticSize } from '../src/graph/shapes.ts';
import type { Graph, Node } from '../src/graph/types.ts';
import { flopsOf } from './flops.ts';

/** Part of the work of a step, in the order in which it is printed. */
export const KINDS = [
  ...['GEMM', 'convolution forward', 'convolution by filter', 'convolution by input', 'pool', 'norm'],
  ...['reduction', 'elementwise', 'copy', 'other'],
] as const;

/** ONNX operators that move numbers without computing any. */
const COPIES =
  /^(Transpose|Reorder(In|Out)put|Reshape|Concat|Slice|Pad|Identity|Cast|Expand|Split|Gather|Squeeze|Unsqueeze|Flatten|Tile)$/;

const OPS: readonly (readonly [RegExp, string])[] = [
  [/MatMul/, 'GEMM'],
  [/BackpropFilter/, 'convolution by filter'],
  [/BackpropInput/, 'convolution by input'],
  [/Conv/, 'convolution forward'],
  [/Pool/, 'pool'],
  [/Norm/, 'norm'],
  [/^(Sum|Mean|Max|Min|ArgMax|Prod|Softmax|LogSoftmax)$/, 'reduction'],
  [/^(Transpose|Reshape|Concat|Slice|Pad|Identity|Cast|Gather\w*|Tile|Unpack|Pack|OneHot)$/, 'copy'],
];

/** Of a node of the graph, or of one in ONNX that it became. */
export function kindOf({ op }: Pick<Node, 'op'>, onnxOp = ''): string {
  if (COPIES.test(onnxOp)) return 'copy';
  return OPS.find(([pattern]) => pattern.test(op))?.[1] ?? 'elementwise';
}

export interface Machine {
  /** Floating-point operations a second of large matrix products. */
  readonly flops: number;
  /** Bytes a second that an elementwise op reads and writes of memory. */
  readonly bytes: number;
}

/** By kind, the milliseconds that a machine takes at least: each node for its products or for what it reads and writes once. */
export function floors(graph: Graph, machine: Machine): Map<string, number> {
  const bytes = (name: string): number => (name === '' ? 0 : 4 * staticSize(graph.types.get(name)!.shape));
  const sums = new Map<string, number>();
  for (const node of graph.nodes) {
    if (node.op === 'Reshape' || node.op === 'Identity') continue;
    const moved = [...new Set([...node.inputs, ...node.outputs])].reduce((sum, name) => sum + bytes(name), 0);
    const seconds = Math.max(flopsOf(node, graph) / machine.flops, moved / machine.bytes);
    sums.set(kindOf(node), (sums.get(kindOf(node)) ?? 0) + 1000 * seconds);
  }
  return sums;
}
