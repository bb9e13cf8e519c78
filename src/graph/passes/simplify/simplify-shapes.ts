import { elementwise } from '../../ops/elementwise.ts';
import { broadcast, isStatic, sameShape } from '../../shapes.ts';
import type { Attrs, Graph, Node, Shape } from '../../types.ts';
import type { Replacement } from '../rewrite.ts';
import { rewrite } from '../rewrite.ts';
import type { GraphBuilder } from '../../builder.ts';

/**
 * Drops ops that move nothing: Identity, a Cast to the same dtype, a Reshape, BroadcastTo or Tile to the same shape, a Transpose
 * that leaves the order. Merges a Reshape or Transpose with the one before it. Drops a BroadcastTo whose reader broadcasts anyway.
 */
export function simplifyShapes(graph: Graph): Graph {
  return rewrite(graph, (node, builder) => {
    const [x] = node.inputs as [string];
    switch (node.op) {
      case 'Identity':
        return [x];
      case 'Cast':
        return builder.typeOf(x).dtype === node.attrs.dtype ? [x] : undefined;
      case 'Reshape':
        return simplifiedReshape(node, builder);
      case 'BroadcastTo':
        return sameShape(builder.typeOf(x).shape, node.attrs.shape as Shape) ? [x] : undefined;
      case 'Tile':
        return (node.attrs.reps as number[]).every((n) => n === 1) ? [x] : undefined;
      case 'Transpose':
        return simplifiedTranspose(node, builder);
      default:
        // Blocked layouts take the operands of a gradient whole.
        return node.op in elementwise && !node.op.endsWith('Grad') ? withoutBroadcasts(node, builder) : undefined;
    }
  });
}

function add({ layer }: Node, builder: GraphBuilder, op: string, inputs: readonly string[], attrs: Attrs): string[] {
  return builder.node(op, inputs, attrs, { layer });
}

function simplifiedReshape(node: Node, builder: GraphBuilder): Replacement {
  const [x] = node.inputs as [string];
  const shape = node.attrs.shape as Shape;
  const isPlain = builder.producerOf(x)?.op !== 'Reshape' && !sameShape(builder.typeOf(x).shape, shape);
  return isPlain ? undefined : reshaped(node, builder, x, shape);
}

/** x in another shape, past a reshape before it. */
function reshaped(node: Node, builder: GraphBuilder, x: string, shape: Shape): Replacement {
  const before = builder.producerOf(x);
  const source = before?.op === 'Reshape' ? before.inputs[0]! : x;
  return sameShape(builder.typeOf(source).shape, shape) ? [source] : add(node, builder, 'Reshape', [source], { shape });
}

function simplifiedTranspose(node: Node, builder: GraphBuilder): Replacement {
  const before = builder.producerOf(node.inputs[0]!);
  const perm = node.attrs.perm as readonly number[];
  const first = before?.op === 'Transpose' ? (before.attrs.perm as readonly number[]) : undefined;
  const source = first === undefined ? node.inputs[0]! : before!.inputs[0]!;
  const whole = first === undefined ? perm : perm.map((p) => first[p]!);
  if (whole.every((p, i) => p === i)) return [source];
  const { shape } = builder.typeOf(source);
  const moving = whole.filter((p) => shape[p] !== 1);
  if (isStatic(shape) && moving.every((p, i) => i === 0 || p > moving[i - 1]!))
    return reshaped(
      node,
      builder,
      source,
      whole.map((p) => shape[p]!),
    );
  return first === undefined ? undefined : add(node, builder, 'Transpose', [source], { perm: whole });
}

function withoutBroadcasts(node: Node, builder: GraphBuilder): Replacement {
  const inputs = [...node.inputs];
  const shapeOf = (names: readonly string[]): Shape =>
    names.map((name) => builder.typeOf(name).shape).reduce(broadcast);
  const whole = shapeOf(inputs);
  inputs.forEach((name, i) => {
    const before = builder.producerOf(name);
    if (before?.op !== 'BroadcastTo') return;
    const fewer = inputs.with(i, before.inputs[0]!);
    if (sameShape(shapeOf(fewer), whole)) inputs[i] = before.inputs[0]!;
  });
  return inputs.every((name, i) => name === node.inputs[i])
    ? undefined
    : add(node, builder, node.op, inputs, node.attrs);
}
