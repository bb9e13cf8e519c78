import { sizeOf } from '../graph/shapes.ts';
import type { Graph, Node, Shape } from '../graph/types.ts';

/** Multiply-accumulates of matrix products and convolutions for one sample; the rest is small beside them. */
export function macsOf(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + macsOfNode(node, graph), 0);
}

function macsOfNode({ op, inputs, outputs, attrs }: Node, { types }: Graph): number {
  const shape = (name: string): Shape => types.get(name)!.shape;
  const perOutput = (): number => {
    switch (op) {
      case 'BatchMatMul':
        return Number(shape(inputs[0]!).at(attrs['transposeA'] === true ? -2 : -1));
      case 'Conv2D': {
        const [height, width, channels] = shape(inputs[1]!) as readonly number[];
        return height! * width! * channels!;
      }
      case 'Conv2DBackpropInput': {
        // Each input value meets every filter value of its channel; counted per input value below.
        const [height, width, out] = shape(inputs[1]!) as readonly number[];
        return height! * width! * out!;
      }
      case 'DepthwiseConv2dNative': {
        const [height, width] = shape(inputs[1]!) as readonly number[];
        return height! * width!;
      }
      default:
        return 0;
    }
  };
  const each = perOutput();
  if (each === 0) return 0;
  // The batch counts once: a symbolic size is a factor of it.
  return each * sizeOf(shape(op === 'Conv2DBackpropInput' ? inputs[0]! : outputs[0]!)).factor;
}
