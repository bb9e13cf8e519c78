import type { GraphBuilder } from '../../builder.ts';
import type { Graph, Node } from '../../types.ts';
import { int } from '../../ops/spec.ts';
import { FEWEST_PARTS, isSmall, onTheWhole } from './by-parts.ts';
import type { Replacement } from '../rewrite.ts';
import { rewrite } from '../rewrite.ts';
import { usesOf } from '../uses.ts';

/** Ops that are worth moving. An activation stays with the convolution before it, which a runtime computes on the way. */
const MOVED = ['BatchMatMul', 'Reshape'];

/**
 * An op whose results for many values are joined, after the Concat of those values: the gradient of the input of a recurrent layer takes one
 * product over all steps.
 */
export function joinBeforeOp(graph: Graph): Graph {
  const uses = usesOf(graph);
  return rewrite(graph, ({ op, inputs, attrs, layer }, builder): Replacement => {
    const producers = op === 'Concat' ? inputs.map((name) => builder.producerOf(name)) : [];
    const [first] = producers;
    if (producers.length < FEWEST_PARTS || first === undefined || !MOVED.includes(first.op)) return undefined;
    if (inputs.some((name) => uses.get(name) !== 1)) return undefined;
    const place = placeOf(first, producers, builder);
    if (place === undefined) return undefined;
    const shapes = first.inputs.map((name) => builder.typeOf(name).shape);
    const axis = int(attrs, 'axis');
    const parted = { axis, size: shapes[place]![axis] as number, count: inputs.length };
    const moved = onTheWhole(first, shapes, place, parted);
    if (moved === undefined) return undefined;
    const operands = producers.map((node) => node!.inputs[place]!);
    const whole = builder.op('Concat', operands, attrs, layer);
    return [builder.op(first.op, first.inputs.with(place, whole), moved.attrs, first.layer)];
  });
}

/** The one place where the operands of nodes differ that are alike otherwise; those have one small shape. */
function placeOf(first: Node, nodes: readonly (Node | undefined)[], builder: GraphBuilder): number | undefined {
  const attrsOf = ({ attrs }: Node): string => JSON.stringify(Object.entries(attrs).sort());
  const isAlike = nodes.every((node) => node?.op === first.op && attrsOf(node) === attrsOf(first));
  if (!isAlike) return undefined;
  const places = first.inputs.flatMap((name, i) => (nodes.every((node) => node!.inputs[i] === name) ? [] : [i]));
  const [place] = places;
  if (places.length !== 1 || place === undefined) return undefined;
  const { shape } = builder.typeOf(first.inputs[place]!);
  const isOneShape = nodes.every((node) => builder.typeOf(node!.inputs[place]!).shape.join() === shape.join());
  return isOneShape && isSmall(shape) ? place : undefined;
}
