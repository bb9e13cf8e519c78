import { macsOfNode } from '../src/graph/macs.ts';
import { staticSize } from '../src/graph/shapes.ts';
import type { Graph, Node } from '../src/graph/types.ts';

/** Floating-point operations of a node's products: two a multiply-accumulate. 0 for all that multiplies no matrices. */
export function flopsOf(node: Node, { types }: Graph): number {
  const { op, inputs, outputs } = node;
  const shape = (name: string) => (name === '' ? [] : types.get(name)!.shape);
  const [first, second] = inputs.map(shape);
  // A gradient by filter meets what its convolution met: each value of dy a whole window, of one channel where it is depthwise.
  if (op === 'Conv2DBackpropFilter') return 2 * staticSize(second!) * staticSize(shape(outputs[0]!).slice(0, 3));
  if (op === 'DepthwiseConv2dNativeBackpropFilter')
    return 2 * staticSize(second!) * staticSize(shape(outputs[0]!).slice(0, 2));
  if (op === 'DepthwiseConv2dNativeBackpropInput') return 2 * staticSize(first!) * staticSize(second!.slice(0, 2));
  if (op === 'Conv2DBackpropInput') return 2 * staticSize(first!) * staticSize(second!.slice(0, 3));
  return 2 * macsOfNode(node, shape);
}

const CONVOLUTIONS: ReadonlySet<string> = new Set(['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter']);

/**
 * Operations of a step that Winograd's form F(2×2, 3×3) saves at best, its transforms not counted: it multiplies 16 times where a convolution by 3×3
 * without strides multiplies 36 times (Lavin & Gray 2016, section 4.1).
 */
export function savedByWinograd(graph: Graph): number {
  const fits = ({ op, inputs, outputs, attrs }: Node): boolean => {
    if (!CONVOLUTIONS.has(op)) return false;
    const [height, width] = graph.types.get(op === 'Conv2DBackpropFilter' ? outputs[0]! : inputs[1]!)!.shape;
    const isPlain = [attrs.strides, attrs.dilations].flat().every((one) => one === 1);
    return height === 3 && width === 3 && isPlain;
  };
  return graph.nodes.filter(fits).reduce((sum, node) => sum + flopsOf(node, graph) * (1 - 16 / 36), 0);
}

/** Of a whole step. */
export function stepFlops(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + flopsOf(node, graph), 0);
}
