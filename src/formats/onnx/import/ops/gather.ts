import { isStatic } from '../../../../graph/shapes.ts';
import type { Dim, Shape } from '../../../../graph/types.ts';
import { axisOf, intAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Import, Importer } from '../context.ts';
import { sizeOfDims } from '../fold/known.ts';
import { side } from './norm.ts';

/** Integers as int32, with negative indexes converted to positive ones for `size` elements. */
export function positive(c: Import, name: string, size: number): string {
  const known = c.knownOf(name);
  if (known !== undefined && isStatic(known.values)) {
    const values = Int32Array.from(known.values, (value) => (value < 0 ? value + size : value));
    return c.builder.constant({ dtype: 'int32', shape: known.dims }, values);
  }
  return wrapped(c, c.plain(name), size);
}

function wrapped(c: Import, value: string, size: number): string {
  const whole = c.op('Cast', [value], { dtype: 'int32' });
  const [zero, all] = [0, size].map((n) => int32(c, [], [n])) as [string, string];
  return c.op('Select', [c.op('Less', [whole, zero]), c.op('Add', [whole, all]), whole]);
}

function int32(c: Import, shape: readonly number[], values: readonly number[]): string {
  return c.builder.constant({ dtype: 'int32', shape }, Int32Array.from(values));
}

function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, i) => sizeOfDims(dims.slice(i + 1)));
}

/** Sizes of the axes to look up in. With an open batch each sample is looked up separately, otherwise all as one list. */
function fixedFrom(c: Import, shape: Shape): { isOpen: boolean; dims: number[] } {
  const isOpen = typeof shape[0] !== 'number' && shape.length > 0;
  const dims = isOpen ? shape.slice(1) : shape;
  if (!isStatic(dims)) return c.fail(`of [${shape.join(', ')}]; expected sizes that are fixed but for the batch`);
  return { isOpen, dims: [...dims] };
}

/** Flat indexes for each position of `to`: along `axis` from `indices`, along other axes the position's own. */
export function flatPlaces(
  c: Import,
  indices: string,
  from: readonly number[],
  to: readonly number[],
  axis: number,
): string {
  const strides = stridesOf(from);
  const steps = stridesOf(to);
  const base = Array.from({ length: sizeOfDims(to) }, (_, i) =>
    to.reduce((sum, dim, a) => sum + (a === axis ? 0 : (Math.floor(i / steps[a]!) % dim) * strides[a]!), 0),
  );
  const moved = c.op('Multiply', [indices, int32(c, [], [strides[axis]!])]);
  return c.op('Add', [moved, int32(c, to, base)]);
}

/** https://onnx.ai/onnx/operators/onnx__GatherElements.html */
const gatherElements: Importer = (node, c) => {
  const [x, indices] = node.inputs as [string, string];
  const [shape, to] = [c.shapeOf(x), c.shapeOf(indices)];
  const axis = axisOf(intAttr(node, c, 'axis', 0), shape.length, c);
  const [from, wanted] = [fixedFrom(c, shape), fixedFrom(c, to)];
  if (from.isOpen !== wanted.isOpen || (from.isOpen && axis === 0)) c.fail('it gathers from the batch', FIXED_BATCH);
  const inner = from.isOpen ? axis - 1 : axis;
  const lead: Dim[] = from.isOpen ? [shape[0]!] : [];
  const found = positive(c, indices, from.dims[inner]!);
  const places = flatPlaces(c, found, from.dims, wanted.dims, inner);
  const list = c.op('Reshape', [c.plain(x)], { shape: [...lead, sizeOfDims(from.dims)] });
  const at = c.op('Reshape', [places], { shape: [...lead, sizeOfDims(wanted.dims)] });
  const y = c.op('GatherV2', [list, at], { axis: lead.length, batchDims: lead.length });
  c.define(node.outputs[0]!, { plain: c.op('Reshape', [y], { shape: to }) });
};

/** Flat indexes of index tuples [..., depth] into axes of these sizes. */
export function tuplePlaces(c: Import, tuples: string, sizes: readonly number[]): string {
  const { shape } = c.builder.typeOf(tuples);
  const last = shape.length - 1;
  const strides = stridesOf(sizes);
  const parts = c.ops('Split', [tuples], { axis: last, sizes: sizes.map(() => 1) });
  const places = parts
    .map((part, i) => c.op('Multiply', [wrapped(c, part, sizes[i]!), int32(c, [], [strides[i]!])]))
    .reduce((a, b) => c.op('Add', [a, b]));
  return c.op('Reshape', [places], { shape: shape.slice(0, last) });
}

/** https://onnx.ai/onnx/operators/onnx__GatherND.html */
const gatherNd: Importer = (node, c) => {
  const [x, indices] = node.inputs as [string, string];
  const [shape, to] = [c.shapeOf(x), c.shapeOf(indices)];
  const batchDims = intAttr(node, c, 'batch_dims', 0);
  const depth = to.at(-1) as number;
  const sizes = shape.slice(batchDims, batchDims + depth);
  if (!isStatic(sizes)) return c.fail('it gathers from the batch', FIXED_BATCH);
  const [lead, rest] = [shape.slice(0, batchDims), shape.slice(batchDims + depth)];
  const between = to.slice(batchDims, -1);
  const outer: Dim[] = batchDims === 0 ? [] : [side(lead)];
  const list = c.op('Reshape', [c.plain(x)], { shape: [...outer, sizeOfDims(sizes), side(rest)] });
  const places = c.op('Reshape', [tuplePlaces(c, c.plain(indices), sizes)], { shape: [...outer, side(between)] });
  const y = c.op('GatherV2', [list, places], { axis: outer.length, batchDims: outer.length });
  c.define(node.outputs[0]!, { plain: c.op('Reshape', [y], { shape: [...lead, ...between, ...rest] }) });
};

/** One-hot rows; an index out of range gives zeros only. */
const oneHot: Importer = (node, c) => {
  const [indices, depthName, values] = node.inputs as [string, string, string];
  const depth = c.number(depthName, 'depth');
  const stored = c.stored(values) ?? c.fail('its values are computed; expected ones that are stored in the file');
  const [offValue, onValue] = Array.from(stored.data as ArrayLike<number | bigint>, Number) as [number, number];
  const rank = c.shapeOf(indices).length + 1;
  const axis = axisOf(intAttr(node, c, 'axis', -1), rank, c);
  const { dtype } = stored.type;
  const y = c.op('OneHot', [positive(c, indices, depth)], { depth, onValue, offValue, dtype });
  c.define(node.outputs[0]!, { plain: lastTo(c, y, axis) });
};

/** Moves the last axis to another position. */
export function lastTo(c: Import, value: string, axis: number): string {
  const last = c.builder.typeOf(value).shape.length - 1;
  if (axis === last) return value;
  const others = Array.from({ length: last }, (_, i) => i);
  return c.op('Transpose', [value], { perm: [...others.slice(0, axis), last, ...others.slice(axis)] });
}

/** One at the first largest value along an axis, else zero; before operator set 13 over all axes from `axis` on. */
const hardmax: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const shape = c.shapeOf(x);
  const axis = axisOf(intAttr(node, c, 'axis', c.opset >= 13 ? -1 : 1), shape.length, c);
  const isOld = c.opset < 13;
  const rows = isOld
    ? c.op('Reshape', [c.plain(x)], { shape: [side(shape.slice(0, axis)), side(shape.slice(axis))] })
    : c.plain(x);
  const along = isOld ? 1 : axis;
  const depth = c.builder.typeOf(rows).shape[along];
  if (typeof depth !== 'number') return c.fail('along the batch', FIXED_BATCH);
  const places = c.op('ArgMax', [rows], { axis: along });
  const y = lastTo(c, c.op('OneHot', [places], { depth, onValue: 1, offValue: 0, dtype: 'float32' }), along);
  c.define(node.outputs[0]!, { plain: isOld ? c.op('Reshape', [y], { shape }) : y });
};

export const indexImporters: Readonly<Record<string, Importer>> = {
  GatherElements: gatherElements,
  GatherND: gatherNd,
  OneHot: oneHot,
  Hardmax: hardmax,
};
