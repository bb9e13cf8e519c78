import type { GraphBuilder } from '../builder.ts';
import { flag, int, ints } from '../ops/spec.ts';
import { isStatic, staticSize } from '../shapes.ts';
import type { Graph, Node, Shape } from '../types.ts';
import { FEWEST, SMALL } from './by-parts.ts';
import { rewrite } from './rewrite.ts';
import { usesOf } from './uses.ts';

/** A kind of term whose sum is one op on all operands. */
interface Kind {
  /** Text that is the same for terms that go together. */
  readonly key: string;
  /** The sum of such terms. */
  readonly sum: (terms: readonly Node[], builder: GraphBuilder) => string;
}

/**
 * Sums of many small terms of one kind as one op: of products over the samples of each step of a recurrent layer, of their sums by column,
 * and of what lies side by side, or is multiplied by one number, which is then done once. So the gradient of a layer's weights takes one
 * product over all steps.
 */
export function collectSums(graph: Graph): Graph {
  const uses = usesOf(graph);
  const inner = innerSums(graph, uses);
  const places = new Map(graph.nodes.flatMap(({ outputs }, i) => outputs.map((name) => [name, i] as const)));
  return rewrite(graph, (node, builder) => {
    if (node.op !== 'Add' || inner.has(node.outputs[0]!)) return undefined;
    const terms = termsOf(node, inner, builder);
    return terms.length < FEWEST ? undefined : collected(terms.sort(lastFirst(places)), uses, builder);
  });
}

/** Sums that only another sum of the same shape reads. */
function innerSums({ nodes, types }: Graph, uses: ReadonlyMap<string, number>): ReadonlySet<string> {
  const shapeOf = (name: string): string => types.get(name)!.shape.join();
  const sums = nodes.filter(({ op }) => op === 'Add');
  const read = new Map(sums.flatMap(({ inputs, outputs }) => inputs.map((name) => [name, outputs[0]!] as const)));
  return new Set(
    sums
      .map(({ outputs }) => outputs[0]!)
      .filter((name) => uses.get(name) === 1 && read.has(name) && shapeOf(read.get(name)!) === shapeOf(name)),
  );
}

function termsOf(node: Node, inner: ReadonlySet<string>, builder: GraphBuilder): string[] {
  const terms: string[] = [];
  // The depth of a chain is that of the recursion, so there is none: a sequence may have thousands of steps.
  const waiting = [...node.inputs].reverse();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const producer = builder.producerOf(name);
    if (producer?.op === 'Add' && inner.has(name)) waiting.push(...[...producer.inputs].reverse());
    else terms.push(name);
  }
  return terms;
}

function collected(terms: readonly string[], uses: ReadonlyMap<string, number>, builder: GraphBuilder) {
  const groups = new Map<string, { kind: Kind; nodes: Node[] }>();
  const kindAt = terms.map((name) => {
    const producer = uses.get(name) === 1 ? builder.producerOf(name) : undefined;
    const kind = producer === undefined ? undefined : kindOf(producer, builder);
    if (kind === undefined) return undefined;
    const group = groups.get(kind.key) ?? { kind, nodes: [] };
    group.nodes.push(producer!);
    groups.set(kind.key, group);
    return kind.key;
  });
  if (![...groups.values()].some(({ nodes }) => nodes.length >= FEWEST)) return undefined;
  const made = new Set<string>();
  const values = terms.flatMap((name, i) => {
    const group = groups.get(kindAt[i] ?? '');
    if (group === undefined || group.nodes.length < FEWEST) return [name];
    if (made.has(group.kind.key)) return [];
    made.add(group.kind.key);
    return [group.kind.sum(group.nodes, builder)];
  });
  return [added(values, builder)];
}

/**
 * The order from the last to be computed to the first: gradients are computed from the last step to the first, so that what is joined of
 * all steps has their order, and all sums the same one.
 */
function lastFirst(places: ReadonlyMap<string, number>): (a: string, b: string) => number {
  return (a, b) => (places.get(b) ?? 0) - (places.get(a) ?? 0);
}

function added(values: readonly string[], builder: GraphBuilder): string {
  return values.reduce((sum, value) => builder.op('Add', [sum, value]));
}

function kindOf({ op, inputs, attrs }: Node, builder: GraphBuilder): Kind | undefined {
  const shapes = inputs.map((name) => builder.typeOf(name).shape);
  const key = (...more: readonly unknown[]): string => JSON.stringify([op, ...more]);
  const operands = (terms: readonly Node[], i: number): string[] => terms.map((term) => term.inputs[i]!);
  switch (op) {
    case 'BatchMatMul': {
      // aᵀ · b of rows that both have.
      if (!flag(attrs, 'transposeA') || flag(attrs, 'transposeB') || !areSmall(shapes)) return undefined;
      if (shapes.some(({ length }) => length !== 2)) return undefined;
      const sum = (terms: readonly Node[]): string => {
        const wholes = inputs.map((_, i) => joined(operands(terms, i), 0, builder));
        return builder.op('BatchMatMul', wholes, attrs);
      };
      return { key: key(shapes[0]![1], shapes[1]![1]), sum };
    }
    case 'Sum': {
      const [axis] = ints(attrs, 'axes');
      if (axis === undefined || !areSmall(shapes)) return undefined;
      const sum = (terms: readonly Node[]): string =>
        builder.op('Sum', [joined(operands(terms, 0), axis, builder)], attrs);
      return { key: key(ints(attrs, 'axes'), attrs.keepDims, shapes[0]), sum };
    }
    case 'Concat': {
      const sums = (terms: readonly Node[]): string[] => inputs.map((_, i) => added(operands(terms, i), builder));
      return { key: key(int(attrs, 'axis'), shapes), sum: (terms) => builder.op('Concat', sums(terms), attrs) };
    }
    case 'Multiply': {
      const scaled = scaledOf({ op, inputs }, builder);
      if (scaled === undefined) return undefined;
      const sum = (terms: readonly Node[]): string =>
        builder.op('Multiply', [
          added(
            terms.map((term) => scaledOf(term, builder)!.value),
            builder,
          ),
          scaled.number,
        ]);
      return { key: key(scaled.number, builder.typeOf(scaled.value).shape), sum };
    }
    default:
      return undefined;
  }
}

function areSmall(shapes: readonly Shape[]): boolean {
  return shapes.every(isStatic) && shapes.reduce((sum, shape) => sum + staticSize(shape), 0) <= SMALL;
}

/** Values one behind another along an axis; of what lies side by side along another axis, each side by itself, as others join it too. */
function joined(values: readonly string[], axis: number, builder: GraphBuilder): string {
  const sides = sidesOf(values, axis, builder);
  if (sides !== undefined) {
    const wholes = sides.map((side) => joined(side, axis, builder));
    return builder.op('Concat', wholes, { axis: builder.producerOf(values[0]!)!.attrs.axis! });
  }
  const scaled = scaledBy(values, builder);
  if (scaled !== undefined) return builder.op('Multiply', [joined(scaled.values, axis, builder), scaled.number]);
  const split = builder.producerOf(values[0]!);
  const isWhole = split?.op === 'Split' && split.attrs.axis === axis && split.outputs.join() === values.join();
  return isWhole ? split.inputs[0]! : builder.op('Concat', values, { axis });
}

/** The inputs of Concats of equal shapes along an axis other than `axis`: the first of each, the second of each and so on. */
function sidesOf(values: readonly string[], axis: number, builder: GraphBuilder): string[][] | undefined {
  const producers = values.map((value) => builder.producerOf(value));
  const [first] = producers;
  if (first?.op !== 'Concat' || first.attrs.axis === axis) return undefined;
  const shapesOf = ({ inputs }: Node): string => inputs.map((name) => builder.typeOf(name).shape.join()).join(';');
  const isAlike = producers.every(
    (node) => node?.op === 'Concat' && node.attrs.axis === first.attrs.axis && shapesOf(node) === shapesOf(first),
  );
  return isAlike ? first.inputs.map((_, i) => producers.map((node) => node!.inputs[i]!)) : undefined;
}

/** What a product by a constant number multiplies, and the number. */
function scaledOf(
  { op, inputs }: Pick<Node, 'op' | 'inputs'>,
  builder: GraphBuilder,
): { value: string; number: string } | undefined {
  const place = op === 'Multiply' ? inputs.findIndex((name) => builder.constantOf(name)?.type.shape.length === 0) : -1;
  return place < 0 ? undefined : { value: inputs[1 - place]!, number: inputs[place]! };
}

/** What products by one number multiply. */
function scaledBy(values: readonly string[], builder: GraphBuilder): { values: string[]; number: string } | undefined {
  const found = values.map((value) => scaledOf(builder.producerOf(value) ?? { op: '', inputs: [] }, builder));
  const number = found[0]?.number;
  const isAlike = number !== undefined && found.every((scaled) => scaled?.number === number);
  return isAlike ? { values: found.map((scaled) => scaled!.value), number } : undefined;
}
