import type { GraphBuilder } from '../../builder.ts';
import { flag, int, ints } from '../../ops/spec.ts';
import { isStatic, sameShape, staticSize } from '../../shapes.ts';
import type { Graph, Node, Shape } from '../../types.ts';
import { rewrite } from '../rewrite.ts';
import { cleaned } from '../simplify/cleaned.ts';
import { usesOf } from '../uses.ts';

/** Fewest terms of a kind that are summed by one op: joining their operands takes time too. */
const FEWEST_TERMS = 4;
/**
 * Most numbers of a value that is kept until all terms are computed. The op of a larger value takes longer than the call of an op, so nothing is
 * gained.
 */
const SMALL = 1 << 17;

/** The graph being built, the readers of the values of the one before, and the layer of the sum at hand. */
interface Work {
  readonly builder: GraphBuilder;
  readonly uses: ReadonlyMap<string, number>;
  readonly layer: string | undefined;
}

/** A kind of term whose sum is one op on all operands. */
interface Kind {
  /** Text that is the same for terms that go together. */
  readonly key: string;
  /** Builds the sum of the terms with one op; returns the name of its result. */
  readonly sum: (terms: readonly Node[]) => string;
}

/**
 * Computes a sum of many small terms of one kind with one op. Kinds are: products over the samples at each step of a recurrent layer, sums by
 * column, concatenations, and products by one number. The gradient of a recurrent layer's weights then takes one product over all steps. For
 * graphs of fixed shapes that run many times, such as training steps.
 */
export function collectSums(graph: Graph): Graph {
  const uses = usesOf(graph);
  const inner = innerSums(graph, uses);
  const places = new Map(graph.nodes.flatMap(({ outputs }, i) => outputs.map((name) => [name, i] as const)));
  const result = rewrite(graph, (node, builder) => {
    if (node.op === 'Concat') return ofSources(node, graph.types.get(node.outputs[0]!)!.shape, builder);
    if (node.op !== 'Add' || inner.has(node.outputs[0]!)) return undefined;
    const sum = collected(termsOf(node, inner, builder).sort(lastFirst(places)), { builder, uses, layer: node.layer });
    return sum === undefined ? undefined : [sum];
  });
  return result === graph ? graph : cleaned(result);
}

/** A concatenation of many reshaped values as that of the values, reshaped: sums join the values themselves, and equal concatenations are found. */
function ofSources({ inputs, attrs, layer }: Node, shape: Shape, builder: GraphBuilder): string[] | undefined {
  const sources = inputs.flatMap((name) => {
    const producer = builder.producerOf(name);
    return producer?.op === 'Reshape' ? [producer.inputs[0]!] : [];
  });
  if (attrs.axis !== 0 || sources.length < Math.max(inputs.length, FEWEST_TERMS)) return undefined;
  const [first, ...others] = sources.map((name) => builder.typeOf(name).shape);
  if (first!.length === 0 || !others.every((other) => sameShape(other, first!))) return undefined;
  return builder.node('Reshape', [builder.op('Concat', sources, { axis: 0 }, layer)], { shape }, { layer });
}

/** Sums that only another sum reads. */
function innerSums({ nodes }: Graph, uses: ReadonlyMap<string, number>): ReadonlySet<string> {
  const sums = nodes.filter(({ op }) => op === 'Add');
  const read = new Set(sums.flatMap(({ inputs }) => inputs));
  return new Set(sums.map(({ outputs }) => outputs[0]!).filter((name) => uses.get(name) === 1 && read.has(name)));
}

function termsOf(node: Node, inner: ReadonlySet<string>, builder: GraphBuilder): string[] {
  const terms: string[] = [];
  // No recursion: the depth of a chain is the number of steps of a sequence, which may be thousands.
  const waiting = [...node.inputs].reverse();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const producer = builder.producerOf(name);
    if (producer?.op === 'Add' && inner.has(name)) waiting.push(...[...producer.inputs].reverse());
    else terms.push(name);
  }
  return terms;
}

/**
 * The order from the last to be computed to the first: gradients are computed from the last step to the first, so that what is joined of
 * all steps has their order, and all sums the same one.
 */
function lastFirst(places: ReadonlyMap<string, number>): (a: string, b: string) => number {
  return (a, b) => (places.get(b) ?? 0) - (places.get(a) ?? 0);
}

/** The sum of terms with the many of a kind as one op; undefined where there are none, or where much would wait for the last. */
function collected(terms: readonly string[], work: Work): string | undefined {
  if (terms.length < FEWEST_TERMS || !terms.every((name) => isLight(name, work))) return undefined;
  const groups = new Map<string, { readonly kind: Kind; readonly nodes: Node[] }>();
  const keys = terms.map((name) => {
    const producer = ownProducer(name, work);
    const kind = producer === undefined ? undefined : kindOf(producer, work);
    if (kind === undefined) return undefined;
    const group = groups.get(kind.key) ?? { kind, nodes: [] };
    group.nodes.push(producer!);
    groups.set(kind.key, group);
    return kind.key;
  });
  for (const [key, { nodes }] of groups) if (nodes.length < FEWEST_TERMS) groups.delete(key);
  if (groups.size === 0) return undefined;
  const alone = terms.filter((_, i) => !groups.has(keys[i] ?? ''));
  return added([...[...groups.values()].map(({ kind, nodes }) => kind.sum(nodes)), ...alone], work);
}

/** The node that gives a value that nothing else reads. */
function ownProducer(name: string, { builder, uses }: Work): Node | undefined {
  return uses.get(name) === 1 ? builder.producerOf(name) : undefined;
}

/** True if a term, or what its sum is computed of, is small: all terms wait in memory for the last. */
function isLight(name: string, work: Work): boolean {
  const producer = ownProducer(name, work);
  const isSmallValue = (value: string): boolean => isSmall(work.builder.typeOf(value).shape);
  if (isSmallValue(name)) return true;
  if (producer?.op === 'BatchMatMul' || producer?.op === 'Sum') return producer.inputs.every(isSmallValue);
  if (producer?.op === 'Concat') return producer.inputs.every((input) => isLight(input, work));
  const scaled = producer === undefined ? undefined : scaledOf(producer, work);
  return scaled !== undefined && isLight(scaled.value, work);
}

function added(values: readonly string[], { builder, layer }: Work): string {
  return values.reduce((sum, value) => builder.op('Add', [sum, value], {}, layer));
}

function sumOf(values: readonly string[], work: Work): string {
  return collected(values, work) ?? added(values, work);
}

function kindOf({ op, inputs, attrs }: Node, work: Work): Kind | undefined {
  const { builder, layer } = work;
  const shapes = inputs.map((name) => builder.typeOf(name).shape);
  const key = (...more: readonly unknown[]): string => JSON.stringify([op, ...more]);
  const operands = (terms: readonly Node[], i: number): string[] => terms.map((term) => term.inputs[i]!);
  switch (op) {
    case 'BatchMatMul': {
      // aᵀ · b of rows that both have.
      if (!flag(attrs, 'transposeA') || flag(attrs, 'transposeB') || !shapes.every(isSmall)) return undefined;
      if (shapes.some(({ length }) => length !== 2)) return undefined;
      const wholes = (terms: readonly Node[]): string[] => inputs.map((_, i) => joined(operands(terms, i), 0, work));
      const sum = (terms: readonly Node[]): string => builder.op('BatchMatMul', wholes(terms), attrs, layer);
      return { key: key(shapes[0]![1], shapes[1]![1]), sum };
    }
    case 'Sum': {
      const [axis] = ints(attrs, 'axes');
      if (axis === undefined || !shapes.every(isSmall)) return undefined;
      const sum = (terms: readonly Node[]): string =>
        builder.op('Sum', [joined(operands(terms, 0), axis, work)], attrs, layer);
      return { key: key(ints(attrs, 'axes'), attrs.keepDims, shapes[0]), sum };
    }
    case 'Concat': {
      const sums = (terms: readonly Node[]): string[] => inputs.map((_, i) => sumOf(operands(terms, i), work));
      const sum = (terms: readonly Node[]): string => builder.op('Concat', sums(terms), attrs, layer);
      return { key: key(int(attrs, 'axis'), shapes), sum };
    }
    case 'Multiply': {
      const scaled = scaledOf({ op, inputs }, work);
      if (scaled === undefined) return undefined;
      const values = (terms: readonly Node[]): string[] => terms.map((term) => scaledOf(term, work)!.value);
      const sum = (terms: readonly Node[]): string =>
        builder.op('Multiply', [sumOf(values(terms), work), scaled.number], {}, layer);
      return { key: key(scaled.number, builder.typeOf(scaled.value).shape), sum };
    }
    default:
      return undefined;
  }
}

/** Values one behind another along an axis; of what lies side by side along another axis, each side by itself, as others join it too. */
function joined(values: readonly string[], axis: number, work: Work): string {
  const { builder, layer } = work;
  const sides = sidesOf(values, axis, builder);
  if (sides !== undefined) {
    const wholes = sides.map((side) => joined(side, axis, work));
    return builder.op('Concat', wholes, { axis: builder.producerOf(values[0]!)!.attrs.axis! }, layer);
  }
  const scaled = scaledBy(values, work);
  if (scaled !== undefined)
    return builder.op('Multiply', [joined(scaled.values, axis, work), scaled.number], {}, layer);
  const split = builder.producerOf(values[0]!);
  const isWhole = split?.op === 'Split' && split.attrs.axis === axis && split.outputs.join() === values.join();
  return isWhole ? split.inputs[0]! : builder.op('Concat', values, { axis }, layer);
}

/** The inputs of Concats of equal shapes along an axis other than `axis`: the first of each, the second of each and so on. */
function sidesOf(values: readonly string[], axis: number, builder: GraphBuilder): string[][] | undefined {
  const producers = values.map((value) => builder.producerOf(value));
  const [first] = producers;
  if (first?.op !== 'Concat' || first.attrs.axis === axis || first.inputs.length > values.length) return undefined;
  const shapesOf = ({ inputs }: Node): string => inputs.map((name) => builder.typeOf(name).shape.join()).join(';');
  const isAlike = producers.every(
    (node) => node?.op === 'Concat' && node.attrs.axis === first.attrs.axis && shapesOf(node) === shapesOf(first),
  );
  return isAlike ? first.inputs.map((_, i) => producers.map((node) => node!.inputs[i]!)) : undefined;
}

/** Value and number of a product by a constant number. */
function scaledOf(
  { op, inputs }: Pick<Node, 'op' | 'inputs'>,
  { builder }: Work,
): { value: string; number: string } | undefined {
  const place = op === 'Multiply' ? inputs.findIndex((name) => builder.constantOf(name)?.type.shape.length === 0) : -1;
  return place < 0 ? undefined : { value: inputs[1 - place]!, number: inputs[place]! };
}

/** Values and number of products by one number. */
function scaledBy(values: readonly string[], work: Work): { values: string[]; number: string } | undefined {
  const found = values.map((value) => scaledOf(work.builder.producerOf(value) ?? { op: '', inputs: [] }, work));
  const number = found[0]?.number;
  const isAlike = number !== undefined && found.every((scaled) => scaled?.number === number);
  return isAlike ? { values: found.map((scaled) => scaled!.value), number } : undefined;
}

function isSmall(shape: Shape): boolean {
  return isStatic(shape) && staticSize(shape) <= SMALL;
}
