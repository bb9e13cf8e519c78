import { GraphBuilder } from '../../builder.ts';
import { opSpec } from '../../ops.ts';
import { batchFactor, batchTimes } from '../../shapes.ts';
import type { Attrs, Dim, Graph, Shape } from '../../types.ts';

type Fail = (fact: string) => never;

/** A value with the batch in it. */
interface Open {
  readonly shape: Shape;
  /** Axis of the batch. */
  readonly axis: number;
  /** Numbers of that axis that stand in front of the batch: 3 where 3 · batch · 2 are one axis. */
  readonly outer: number;
}

/**
 * The graph of a model that was written for batches of `size`, for batches of any size; the inverse of `atBatch`. The batch is the first
 * axis of every input, and is followed through the graph. Throws, with the layer, where an operator works across the samples, or where the
 * size has become a part of what is computed.
 */
export function openBatch(graph: Graph, size: number): Graph {
  const builder = new GraphBuilder();
  const outers = new Map<string, number>();
  const openOf = (name: string): Open | undefined => {
    const shape = name === '' ? [] : builder.typeOf(name).shape;
    const axis = shape.findIndex((dim) => typeof dim !== 'number');
    return axis === -1 ? undefined : { shape, axis, outer: outers.get(name) ?? 1 };
  };
  for (const [name, { dtype, shape }] of graph.inputs) {
    if (shape[0] !== size) throw new Error(`input ${name} is [${shape.join(', ')}], without a batch of ${size}`);
    builder.input(name, { dtype, shape: ['batch', ...shape.slice(1)] });
  }
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) builder.constant(type, data, name);
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes) {
    const fail: Fail = (fact) => {
      throw new Error(`${layer ?? outputs[0]!} (${op}) ${fact}`);
    };
    const [from, ...others] = inputs.flatMap((name) => openOf(name) ?? []);
    if (from === undefined) {
      builder.node(op, inputs, repeated(op, attrs, builder.typeOf(inputs[0] ?? '').shape, size), { layer, outputs });
      continue;
    }
    if (others.some(({ outer }) => outer !== from.outer)) fail('takes samples in different orders');
    const along = [attrs.axis ?? [], attrs.axes ?? []].flat() as number[];
    if (openOf(inputs[0]!) !== undefined && along.includes(from.axis)) fail('works across the samples of a batch');
    builder.node(op, inputs, opened(op, attrs, from, size, fail), { layer, outputs });
    const made = outputs.flatMap((name) => openOf(name) ?? []);
    if (made.length === 0) fail('makes one of all samples of a batch');
    const before = op === 'Reshape' ? inFront(from) : undefined;
    for (const name of outputs) {
      const to = openOf(name);
      if (to !== undefined) outers.set(name, before === undefined ? from.outer : before / product(to.shape, to.axis));
    }
  }
  for (const [name, value] of graph.outputs) builder.output(name, value);
  return builder.build();
}

function product(shape: Shape, axes: number): number {
  return shape.slice(0, axes).reduce<number>((all, dim) => all * (dim as number), 1);
}

/** Numbers that stand in front of the batch: no reshape changes them. */
function inFront({ shape, axis, outer }: Open): number {
  return product(shape, axis) * outer;
}

/** Attributes of what does not read the batch. A value that is repeated for each sample is so for any number of them. */
function repeated(op: string, attrs: Attrs, from: Shape, size: number): Attrs {
  const to = attrs.shape as Shape;
  const isForEach = op === 'BroadcastTo' && size > 1 && to[0] === size && (from.length < to.length || from[0] === 1);
  return isForEach ? { ...attrs, shape: ['batch', ...to.slice(1)] } : attrs;
}

/** Attributes in which the size of the batch stands, without it. */
function opened(op: string, attrs: Attrs, from: Open, size: number, fail: Fail): Attrs {
  const { shape, axis } = from;
  if (op === 'Reshape') return { ...attrs, shape: reshaped(from, attrs.shape as readonly number[], size, fail) };
  if (op === 'BroadcastTo') {
    const to = attrs.shape as Shape;
    const at = axis + to.length - shape.length;
    return { ...attrs, shape: to.map((dim, i) => (i === at ? shape[axis]! : dim)) };
  }
  if (op === 'Tile' && (attrs.reps as readonly number[])[axis] !== 1) fail('repeats the samples of a batch');
  if (op === 'Slice') {
    const [begin, taken] = [attrs.begin as readonly number[], attrs.size as readonly number[]];
    const all = batchFactor(shape[axis]!) * size;
    if (taken[axis] !== -1 && (begin[axis] !== 0 || taken[axis] !== all)) fail('takes some samples of a batch');
    return { ...attrs, size: taken.map((count, i) => (i === axis ? -1 : count)) };
  }
  const kinds = opSpec(op).attrs;
  const entries = Object.entries(attrs).map(([name, value]) => {
    const isShape = kinds[name] === 'shape' && axis === 0;
    return [name, isShape ? [shape[0]!, ...(value as Shape).slice(1)] : value] as const;
  });
  return Object.fromEntries(entries);
}

/** The shape of a reshape with the batch where it comes to stand: behind as many numbers as before. */
function reshaped(from: Open, to: readonly number[], size: number, fail: Fail): Dim[] {
  const before = inFront(from);
  const holds = (i: number): boolean => {
    const front = product(to, i);
    return before % front === 0 && (front * to[i]!) % (before * size) === 0;
  };
  const axes = to.flatMap((_, i) => (holds(i) ? [i] : []));
  const axis = axes.find((i) => product(to, i) === before) ?? axes[0];
  if (axis === undefined) return fail(`makes [${to.join(', ')}] of [${from.shape.join(', ')}], which parts a batch`);
  return to.map((dim, i) => (i === axis ? batchTimes(dim / size) : dim));
}
