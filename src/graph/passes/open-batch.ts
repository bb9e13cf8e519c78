import { GraphBuilder } from '../builder.ts';
import { batchFactor, batchTimes, staticSize } from '../shapes.ts';
import type { Attrs, Dim, Graph, Shape } from '../types.ts';

/**
 * The graph of a model that was written for batches of `size`, for batches of any size; the inverse of `atBatch`. The batch is the first
 * axis of every input. It is followed through the graph, samples one behind the other. Throws, with the layer, where an operator works
 * across the samples, or where the size has become a part of what is computed.
 */
export function openBatch(graph: Graph, size: number): Graph {
  const builder = new GraphBuilder();
  const shapeOf = (name: string): Shape => (name === '' ? [] : builder.typeOf(name).shape);
  const isOpen = (name: string): boolean => shapeOf(name).some((dim) => typeof dim !== 'number');
  for (const [name, { dtype, shape }] of graph.inputs) {
    if (shape[0] !== size) throw new Error(`input ${name} is [${shape.join(', ')}], without a batch of ${size}`);
    builder.input(name, { dtype, shape: ['batch', ...shape.slice(1)] });
  }
  for (const [name, type] of graph.state) builder.state(name, type);
  for (const [name, { type, data }] of graph.constants) builder.constant(type, data, name);
  for (const { op, inputs, attrs, layer, outputs } of graph.nodes) {
    const fail = (fact: string): never => {
      throw new Error(`${layer ?? outputs[0]!} (${op}) ${fact}`);
    };
    if (!inputs.some(isOpen)) {
      builder.node(op, inputs, attrs, { layer, outputs });
      continue;
    }
    const from = shapeOf(inputs[0]!);
    const along = [attrs.axis ?? [], attrs.axes ?? []].flat() as number[];
    if (along.some((axis) => typeof (from[axis] ?? 0) !== 'number')) fail('works across the samples of a batch');
    builder.node(op, inputs, opened(op, attrs, from, size, fail), { layer, outputs });
    if (!outputs.some(isOpen)) fail('makes one of all samples of a batch');
  }
  for (const [name, value] of graph.outputs) builder.output(name, value);
  return builder.build();
}

type Fail = (fact: string) => never;

/** Attributes in which the size of the batch stands, without it. `from`: shape of the first input. */
function opened(op: string, attrs: Attrs, from: Shape, size: number, fail: Fail): Attrs {
  if (op === 'Reshape') return { ...attrs, shape: reshaped(from, attrs.shape as readonly number[], size, fail) };
  if (op === 'BroadcastTo') {
    const to = attrs.shape as Shape;
    const shape = to.map((dim, i) => {
      const own = from[i - to.length + from.length] ?? 1;
      return typeof own === 'number' ? dim : own;
    });
    return { ...attrs, shape };
  }
  if (op === 'Tile') {
    const reps = attrs.reps as readonly number[];
    if (from.some((dim, i) => typeof dim !== 'number' && reps[i] !== 1)) fail('repeats the samples of a batch');
  }
  if (op === 'Slice') {
    const [begin, taken] = [attrs.begin as readonly number[], attrs.size as readonly number[]];
    const all = taken.map((count, i) => {
      const factor = batchFactor(from[i]!);
      if (factor === 0 || count === -1) return count;
      return begin[i] === 0 && count === factor * size ? -1 : fail('takes some samples of a batch');
    });
    return { ...attrs, size: all };
  }
  return attrs;
}

/**
 * The shape of a reshape with the batch where it comes to stand: as many values stand before it as before. What a fixed size does not
 * tell, a reshape that mixes samples, has no such place.
 */
function reshaped(from: Shape, to: readonly number[], size: number, fail: Fail): Dim[] {
  const axis = from.findIndex((dim) => typeof dim !== 'number');
  const before = staticSize(from.slice(0, axis));
  const place = to.findIndex((dim, i) => staticSize(to.slice(0, i)) === before && dim % size === 0);
  if (place === -1) fail(`makes [${to.join(', ')}] of [${from.join(', ')}], where the samples are mixed`);
  return to.map((dim, i) => (i === place ? batchTimes(dim / size) : dim));
}
