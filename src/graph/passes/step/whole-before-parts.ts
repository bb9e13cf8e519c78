import type { GraphBuilder } from '../../builder.ts';
import { ints } from '../../ops/spec.ts';
import type { Attrs, Graph, Node } from '../../types.ts';
import { FEWEST_PARTS, isSmall, onTheWhole } from './by-parts.ts';
import type { Parted } from './by-parts.ts';
import { rewrite } from '../rewrite.ts';
import { readersOf } from '../uses.ts';

/** One op on every part of a Split. */
interface Siblings {
  /** Place of the part among the op's operands. */
  readonly place: number;
  readonly attrs: Attrs;
  readonly result: Parted;
  /** Results for the parts one after another, once the op on the whole is there. */
  parts?: readonly (readonly string[])[];
}

/**
 * An op that every part of a Split goes through, by the whole before the Split: a recurrent layer multiplies the input of all its steps by
 * the weights at once. Each result is computed from the same numbers as before.
 */
export function wholeBeforeParts(graph: Graph): Graph {
  const members = membersOf(graph);
  if (members.size === 0) return graph;
  return rewrite(graph, (node, builder) => {
    const member = members.get(node.outputs[0]!);
    if (member === undefined) return undefined;
    const { siblings, index } = member;
    siblings.parts ??= byTheWhole(node, siblings, builder);
    return siblings.parts[index];
  });
}

function byTheWhole(node: Node, { place, attrs, result }: Siblings, builder: GraphBuilder): string[][] {
  const whole = builder.producerOf(node.inputs[place]!)!.inputs[0]!;
  const { layer } = node;
  const values = builder.node(node.op, node.inputs.with(place, whole), attrs, { layer });
  const sizes = new Array<number>(result.count).fill(result.size);
  const parts = values.map((value) => builder.node('Split', [value], { axis: result.axis, sizes }, { layer }));
  return Array.from({ length: result.count }, (_, i) => parts.map((part) => part[i]!));
}

/** Nodes whose siblings read all other parts of a Split, by their first output. */
function membersOf(graph: Graph): ReadonlyMap<string, { readonly siblings: Siblings; readonly index: number }> {
  const members = new Map<string, { readonly siblings: Siblings; readonly index: number }>();
  const readers = readersOf(graph.nodes);
  for (const split of graph.nodes) {
    const sizes = split.op === 'Split' ? ints(split.attrs, 'sizes') : [];
    // Parts of parts come in a later round: once those are one Split, these are parts of that.
    if (sizes.length < FEWEST_PARTS || sizes.some((size) => size !== sizes[0]) || members.has(split.outputs[0]!))
      continue;
    const rest = split.outputs.slice(1).map((part) => byKey(readers.get(part) ?? [], part));
    for (const first of readers.get(split.outputs[0]!) ?? []) {
      const key = keyOf(first, split.outputs[0]!);
      const others = rest.flatMap((found) => (key === undefined ? [] : (found.get(key) ?? [])));
      if (key === undefined || others.length < rest.length) continue;
      const place = first.inputs.indexOf(split.outputs[0]!);
      const parted = { axis: split.attrs.axis as number, size: sizes[0]!, count: sizes.length };
      const shapes = first.inputs.map((name) => graph.types.get(name)!.shape);
      const isWorthIt = [split.outputs[0]!, ...first.outputs].every((name) => isSmall(graph.types.get(name)!.shape));
      if (!isWorthIt) continue;
      const moved = onTheWhole(first, shapes, place, parted);
      if (moved === undefined) continue;
      const siblings: Siblings = { place, ...moved };
      for (const [index, node] of [first, ...others].entries()) members.set(node.outputs[0]!, { siblings, index });
    }
  }
  return members;
}

function byKey(nodes: readonly Node[], part: string): ReadonlyMap<string, Node> {
  return new Map(nodes.flatMap((node) => (keyOf(node, part) === undefined ? [] : [[keyOf(node, part)!, node]])));
}

/** Text that is the same for nodes that differ in the part alone; none for a node that reads the part twice. */
function keyOf({ op, inputs, attrs }: Node, part: string): string | undefined {
  const place = inputs.indexOf(part);
  if (inputs.lastIndexOf(part) !== place) return undefined;
  return JSON.stringify([
    op,
    inputs.with(place, ''),
    Object.entries(attrs).map(([key, value]) => [key, String(value)]),
  ]);
}
