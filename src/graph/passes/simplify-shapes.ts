import { broadcast, isStatic, sameShape } from '../shapes.ts';
import type { Graph, Node, Shape } from '../types.ts';
import type { Replacement } from './rewrite.ts';
import { rewrite } from './rewrite.ts';
import type { GraphBuilder } from '../builder.ts';

/** Ops whose operands broadcast on their own. */
const BROADCASTING = new Set([
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'FloorDiv',
  'Maximum',
  'Minimum',
  'Mod',
  'Pow',
  'SquaredDifference',
  'Atan2',
  'Equal',
  'NotEqual',
  'Greater',
  'GreaterEqual',
  'Less',
  'LessEqual',
  'LogicalAnd',
  'LogicalOr',
  'Select',
  'BitwiseAnd',
]);

/**
 * Drops ops that move nothing: Identity, a Cast to the same dtype, a Reshape, BroadcastTo or Tile to the same shape, a Transpose
 * that leaves the order. Merges a Reshape or Transpose with the one before it. Drops a BroadcastTo whose reader broadcasts anyway.
 */
export function simplifyShapes(graph: Graph): Graph {
  const producers = new Map<string, Node>();
  return rewrite(graph, (node, builder) => {
    const values = simplified(node, builder, producers);
    const [op, outputs] = values === undefined ? [node, node.outputs] : [undefined, []];
    if (op !== undefined) for (const name of outputs) producers.set(name, node);
    return values;
  });
}

function simplified(node: Node, builder: GraphBuilder, producers: Map<string, Node>): Replacement {
  const [x] = node.inputs as [string];
  const add = (op: string, inputs: readonly string[], attrs: Node['attrs']): readonly string[] => {
    const outputs = builder.node(op, inputs, attrs, { layer: node.layer });
    producers.set(outputs[0]!, { ...node, op, inputs, attrs, outputs });
    return outputs;
  };
  switch (node.op) {
    case 'Identity':
      return [x];
    case 'Cast':
      return builder.typeOf(x).dtype === node.attrs.dtype ? [x] : undefined;
    case 'Reshape': {
      const shape = node.attrs.shape as Shape;
      const before = producers.get(x);
      const source = before?.op === 'Reshape' ? before.inputs[0]! : x;
      if (sameShape(builder.typeOf(source).shape, shape)) return [source];
      return source === x ? undefined : add('Reshape', [source], node.attrs);
    }
    case 'BroadcastTo':
      return sameShape(builder.typeOf(x).shape, node.attrs.shape as Shape) ? [x] : undefined;
    case 'Tile':
      return (node.attrs.reps as number[]).every((n) => n === 1) ? [x] : undefined;
    case 'Transpose':
      return simplifiedTranspose(node, builder, producers, add);
  }
  return BROADCASTING.has(node.op) ? withoutBroadcasts(node, builder, producers, add) : undefined;
}

function simplifiedTranspose(
  node: Node,
  builder: GraphBuilder,
  producers: ReadonlyMap<string, Node>,
  add: (op: string, inputs: readonly string[], attrs: Node['attrs']) => readonly string[],
): Replacement {
  const before = producers.get(node.inputs[0]!);
  const perm = node.attrs.perm as readonly number[];
  const first = before?.op === 'Transpose' ? (before.attrs.perm as readonly number[]) : undefined;
  const source = first === undefined ? node.inputs[0]! : before!.inputs[0]!;
  const whole = first === undefined ? perm : perm.map((p) => first[p]!);
  if (whole.every((p, i) => p === i)) return [source];
  const { shape } = builder.typeOf(source);
  const moving = whole.filter((p) => shape[p] !== 1);
  const to = whole.map((p) => shape[p]!);
  if (isStatic(shape) && moving.every((p, i) => i === 0 || p > moving[i - 1]!))
    return add('Reshape', [source], { shape: to });
  return first === undefined ? undefined : add('Transpose', [source], { perm: whole });
}

function withoutBroadcasts(
  node: Node,
  builder: GraphBuilder,
  producers: ReadonlyMap<string, Node>,
  add: (op: string, inputs: readonly string[], attrs: Node['attrs']) => readonly string[],
): Replacement {
  const inputs = [...node.inputs];
  const shapeOf = (names: readonly string[]): Shape =>
    names.map((name) => builder.typeOf(name).shape).reduce(broadcast);
  const whole = shapeOf(inputs);
  inputs.forEach((name, i) => {
    const before = producers.get(name);
    if (before?.op !== 'BroadcastTo') return;
    const fewer = inputs.with(i, before.inputs[0]!);
    if (sameShape(shapeOf(fewer), whole)) inputs[i] = before.inputs[0]!;
  });
  return inputs.every((name, i) => name === node.inputs[i]) ? undefined : add(node.op, inputs, node.attrs);
}
