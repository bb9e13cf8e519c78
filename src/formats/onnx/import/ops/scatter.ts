import { isStatic } from '../../../../graph/shapes.ts';
import type { OnnxNode } from '../../model.ts';
import { attr, axisOf, intAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { sizeOfDims } from '../fold/known.ts';
import { FIXED_BATCH } from '../hints.ts';
import { flatPlaces, lastTo, positive, tuplePlaces } from './gather.ts';

/** Operator that combines new and old values in a scatter, and its neutral value (undefined: the old value itself). */
const REDUCTIONS: Readonly<Record<string, { readonly op: string; readonly neutral?: number }>> = {
  add: { op: 'Add', neutral: 0 },
  mul: { op: 'Multiply', neutral: 1 },
  max: { op: 'Maximum' },
  min: { op: 'Minimum' },
};

interface Scatter {
  /** [rows, width] floats. */
  readonly rows: string;
  /** [places, width]. */
  readonly updates: string;
  /** int32 [places]: target row of each update. */
  readonly places: string;
}

/** Updates rows at places. For known places, the assignment of updates to rows is computed in reading, as a gather. */
function scattered(node: OnnxNode, c: Import, { rows, updates, places }: Scatter): string {
  const reduction = attr(node, c, 'reduction', 'string') ?? 'none';
  const known = c.builder.constantOf(places)?.data as Int32Array | undefined;
  const [height, width] = c.builder.typeOf(rows).shape as [number, number];
  if (reduction === 'none' && known !== undefined) {
    const from = Int32Array.from({ length: height }, (_, i) => i);
    known.forEach((row, i) => (from[row] = height + i));
    return taken(c, c.op('Concat', [rows, updates], { axis: 0 }), from);
  }
  if (known === undefined) {
    if (reduction !== 'none' && reduction !== 'add')
      return c.fail(`its attribute reduction is ${reduction}, at places that are computed; expected none or add`);
    const numSegments = height;
    const sums = c.op('UnsortedSegmentSum', [updates, places], { numSegments });
    if (reduction === 'add') return c.op('Add', [rows, sums]);
    // Indexes must be distinct: the specification leaves repeated ones undefined.
    const ones = c.constant(new Float32Array(c.builder.typeOf(places).shape[0] as number).fill(1), [
      c.builder.typeOf(places).shape[0] as number,
      1,
    ]);
    const hits = c.op('UnsortedSegmentSum', [ones, places], { numSegments });
    return c.op('Select', [c.op('Greater', [hits, c.constant(Float32Array.of(0), [])]), sums, rows]);
  }
  const { op, neutral } = REDUCTIONS[reduction] ?? c.fail(`its attribute reduction is ${reduction}`);
  const none = neutral === undefined ? rows : c.constant(new Float32Array(width).fill(neutral), [1, width]);
  const from = c.op('Concat', [updates, none], { axis: 0 });
  const unchanged = (row: number): number => known.length + (neutral === undefined ? row : 0);
  // One round for each repetition of a row.
  const rounds: Int32Array[] = [];
  const times = new Int32Array(height);
  known.forEach((row, i) => {
    const round = (rounds[times[row]!++] ??= Int32Array.from({ length: height }, (_, at) => unchanged(at)));
    round[row] = i;
  });
  return rounds.reduce((value, round) => c.op(op, [value, taken(c, from, round)]), rows);
}

function taken(c: Import, rows: string, from: Int32Array): string {
  const indices = c.builder.constant({ dtype: 'int32', shape: [from.length] }, from);
  return c.op('GatherV2', [rows, indices], { axis: 0, batchDims: 0 });
}

/** Known places as a constant, computed ones unchanged. */
function settled(c: Import, isKnown: boolean, values: () => readonly number[], computed: () => string): string {
  if (!isKnown) return computed();
  const list = values();
  return c.builder.constant({ dtype: 'int32', shape: [list.length] }, Int32Array.from(list));
}

function fixed(c: Import, name: string): readonly number[] {
  const shape = c.shapeOf(name);
  return isStatic(shape) ? shape : c.fail(`of [${shape.join(', ')}]; expected fixed sizes, the batch too`);
}

/** Updates of samples of an open batch along an axis of theirs, such as the weights of the experts that a gate chooses: every place is compared with every index. */
function scatteredInEach(node: OnnxNode, c: Import, axis: number): string {
  const [x, indices, updates] = node.inputs as [string, string, string];
  const reduction = attr(node, c, 'reduction', 'string') ?? 'none';
  const [shape, to] = [c.shapeOf(x), c.shapeOf(indices)];
  const depth = shape[axis]!;
  if (typeof depth !== 'number') return c.fail('along the batch', FIXED_BATCH);
  if (to.some((dim, a) => a !== axis && dim !== shape[a]))
    return c.fail(
      `of [${shape.join(', ')}] at [${to.join(', ')}]; expected indexes of all samples and of all places beside the axis`,
    );
  if (reduction !== 'none' && reduction !== 'add')
    return c.fail(`its attribute reduction is ${reduction}, at places that are computed; expected none or add`);
  const hot = c.op('OneHot', [positive(c, indices, depth)], { depth, onValue: 1, offValue: 0, dtype: 'float32' });
  const zero = c.constant(Float32Array.of(0), []);
  const spread = c.op('Reshape', [c.plain(updates)], { shape: [...to, 1] });
  const inPlace = (values: string): string => lastTo(c, c.op('Sum', [values], { axes: [axis], keepDims: false }), axis);
  const sums = inPlace(c.op('Select', [c.op('Greater', [hot, zero]), spread, zero]));
  if (reduction === 'add') return c.op('Add', [c.plain(x), sums]);
  return c.op('Select', [c.op('Greater', [inPlace(hot), zero]), sums, c.plain(x)]);
}

/** https://onnx.ai/onnx/operators/onnx__ScatterElements.html; the older Scatter is equal. */
const scatterElements: Importer = (node, c) => {
  const [x, indices, updates] = node.inputs as [string, string, string];
  const axis = axisOf(intAttr(node, c, 'axis', 0), c.shapeOf(x).length, c);
  if (typeof c.shapeOf(x)[0] !== 'number' && c.knownOf(indices) === undefined) {
    c.define(node.outputs[0]!, { plain: scatteredInEach(node, c, axis) });
    return;
  }
  const [shape, to] = [fixed(c, x), fixed(c, indices)];
  const known = c.knownOf(indices);
  const strides = shape.map((_, i) => sizeOfDims(shape.slice(i + 1)));
  const steps = to.map((_, i) => sizeOfDims(to.slice(i + 1)));
  const total = sizeOfDims(to);
  const places = settled(
    c,
    known !== undefined,
    () =>
      Array.from({ length: total }, (_, i) =>
        to.reduce((sum, dim, a) => {
          const index = a === axis ? Number(known!.values[i]) : Math.floor(i / steps[a]!) % dim;
          return sum + (index < 0 ? index + shape[a]! : index) * strides[a]!;
        }, 0),
      ),
    () => c.op('Reshape', [flatPlaces(c, positive(c, indices, shape[axis]!), shape, to, axis)], { shape: [total] }),
  );
  const rows = c.op('Reshape', [c.plain(x)], { shape: [sizeOfDims(shape), 1] });
  const flatUpdates = c.op('Reshape', [c.plain(updates)], { shape: [total, 1] });
  const y = scattered(node, c, { rows, updates: flatUpdates, places });
  c.define(node.outputs[0]!, { plain: c.op('Reshape', [y], { shape }) });
};

/** https://onnx.ai/onnx/operators/onnx__ScatterND.html */
const scatterNd: Importer = (node, c) => {
  const [x, indices, updates] = node.inputs as [string, string, string];
  const [shape, to] = [fixed(c, x), fixed(c, indices)];
  const depth = to.at(-1)!;
  const sizes = shape.slice(0, depth);
  const [height, width, total] = [sizeOfDims(sizes), sizeOfDims(shape.slice(depth)), sizeOfDims(to.slice(0, -1))];
  const known = c.knownOf(indices);
  const places = settled(
    c,
    known !== undefined,
    () =>
      Array.from({ length: total }, (_, i) =>
        sizes.reduce((sum, size, a) => {
          const index = Number(known!.values[i * depth + a]);
          return sum * size + (index < 0 ? index + size : index);
        }, 0),
      ),
    () => c.op('Reshape', [tuplePlaces(c, c.plain(indices), sizes)], { shape: [total] }),
  );
  const rows = c.op('Reshape', [c.plain(x)], { shape: [height, width] });
  const updateRows = c.op('Reshape', [c.plain(updates)], { shape: [total, width] });
  const y = scattered(node, c, { rows, updates: updateRows, places });
  c.define(node.outputs[0]!, { plain: c.op('Reshape', [y], { shape }) });
};

export const scatterImporters: Readonly<Record<string, Importer>> = {
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterNd,
};
