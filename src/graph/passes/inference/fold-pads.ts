import type { GraphBuilder } from '../../builder.ts';
import type { Attrs, Graph, Node } from '../../types.ts';
import { opSpec } from '../../ops.ts';
import { ints } from '../../ops/spec.ts';
import { removeDeadCode } from '../simplify/dead-code.ts';
import { rewrite } from '../rewrite.ts';

/**
 * Zeros put around a picture before a convolution become the convolution's own padding, and a gradient of the padded
 * picture that is cut to the picture becomes the gradient of the picture. What a layer of zero padding makes of strided nets.
 */
export function foldPads(graph: Graph): Graph {
  return removeDeadCode(
    rewrite(graph, (node, builder) => {
      const { product } = opSpec(node.op);
      if (product === 'convolution' || product === 'filter gradient') return padded(node, builder);
      if (node.op === 'Slice') return sliced(node, builder);
      return undefined;
    }),
  );
}

function padded(node: Node, builder: GraphBuilder): readonly string[] | undefined {
  const pad = builder.producerOf(node.inputs[0]!);
  if (pad?.op !== 'Pad' || pad.attrs.constantValue !== 0) return undefined;
  const around = spatial(ints(pad.attrs, 'paddings'));
  if (around === undefined) return undefined;
  const inputs = [pad.inputs[0]!, ...node.inputs.slice(1)];
  return builder.node(node.op, inputs, withPads(node.attrs, around), { layer: node.layer });
}

function sliced(node: Node, builder: GraphBuilder): readonly string[] | undefined {
  const gradient = builder.producerOf(node.inputs[0]!);
  if (gradient === undefined || opSpec(gradient.op).product !== 'input gradient') return undefined;
  const shape = builder.typeOf(node.inputs[0]!).shape;
  const inner = builder.inferred(node.op, node.inputs, node.attrs).shape;
  const begin = ints(node.attrs, 'begin');
  const paddings = shape.flatMap((dim, i): number[] => {
    if (dim === inner[i]) return [0, 0];
    return [begin[i]!, (dim as number) - begin[i]! - (inner[i] as number)];
  });
  const around = spatial(paddings);
  if (around === undefined) return undefined;
  const attrs = { ...withPads(gradient.attrs, around), inputShape: inner };
  return builder.node(gradient.op, gradient.inputs, attrs, { layer: gradient.layer });
}

/** top, bottom, left, right, if nothing else is padded. */
function spatial(paddings: readonly number[]): readonly number[] | undefined {
  const rest = [...paddings.slice(0, 2), ...paddings.slice(6)];
  return paddings.length === 8 && rest.every((amount) => amount === 0) ? paddings.slice(2, 6) : undefined;
}

function withPads(attrs: Attrs, around: readonly number[]): Attrs {
  return { ...attrs, pads: ints(attrs, 'pads').map((amount, i) => amount + around[i]!) };
}
