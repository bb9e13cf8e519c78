import { symbolicSize } from '../../../../graph/shapes.ts';
import { axisOf, intAttr, intsAttr } from '../attrs.ts';
import type { Import } from '../context.ts';
import { axesOfNode } from '../ops/shape.ts';
import { slicesOf } from '../slices.ts';
import { sizeOfDims, elementAt, filledByPlace } from './known.ts';
import type { KnownTensor } from './known.ts';
import type { Fold } from './fold.ts';

/** Numbers that do not depend on the batch size; fails for others. */
function fixed(c: Import, { values }: KnownTensor, what: string): number[] {
  return values.map((value) => (typeof value === 'number' ? value : c.fail(`its ${what} depends on the batch size`)));
}

const withDims = (x: KnownTensor, dims: readonly number[]): KnownTensor => ({ ...x, dims });

const gather: Fold = ([x, indices], node, c) => {
  const axis = axisOf(intAttr(node, c, 'axis', 0), x!.dims.length, c);
  const n = x!.dims[axis]!;
  const at = fixed(c, indices!, 'indices').map((i) => (i < 0 ? i + n : i));
  const outside = at.find((i) => i < 0 || i >= n);
  if (outside !== undefined) c.fail(`it gathers [${indices!.values.join(', ')}] of ${n}`);
  const chosen = { ...indices!, values: at };
  const rank = indices!.dims.length;
  return filledByPlace(x!.dtype, [...x!.dims.slice(0, axis), ...indices!.dims, ...x!.dims.slice(axis + 1)], (place) => {
    const index = Number(elementAt(chosen, place.slice(axis, axis + rank)));
    return elementAt(x!, [...place.slice(0, axis), index, ...place.slice(axis + rank)]);
  });
};

const squeeze: Fold = ([x], node, c) => {
  const axes = axesOfNode(node, c, x!.dims.length) ?? x!.dims.flatMap((dim, i) => (dim === 1 ? [i] : []));
  const other = axes.find((axis) => x!.dims[axis] !== 1);
  if (other !== undefined) c.fail(`its axis ${other} is ${x!.dims[other]!}, expected 1`);
  return withDims(
    x!,
    x!.dims.filter((_, i) => !axes.includes(i)),
  );
};

const unsqueeze: Fold = ([x, given], node, c) => {
  const named = given === undefined ? intsAttr(node, c, 'axes') : fixed(c, given, 'axes');
  const rank = x!.dims.length + (named ?? c.fail('it names no axes')).length;
  const axes = named!.map((axis) => axisOf(axis, rank, c));
  const rest = [...x!.dims];
  return withDims(
    x!,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)),
  );
};

const reshape: Fold = ([x, shape], node, c) => {
  const newShape = shape === undefined ? intsAttr(node, c, 'shape') : fixed(c, shape, 'shape');
  const isZeroKept = intAttr(node, c, 'allowzero', 0) === 1;
  const dims = (newShape ?? c.fail('it names no shape')).map((dim, i) =>
    dim === 0 && !isZeroKept ? x!.dims[i]! : dim,
  );
  const rest = x!.values.length / sizeOfDims(dims.filter((dim) => dim !== -1));
  const whole = dims.map((dim) => (dim === -1 ? rest : dim));
  if (symbolicSize(whole).factor !== x!.values.length)
    c.fail(`it cannot make [${dims.join(', ')}] of [${x!.dims.join(', ')}]`);
  return withDims(x!, whole);
};

const transpose: Fold = ([x], node, c) => {
  const perm = intsAttr(node, c, 'perm') ?? x!.dims.map((_, i) => x!.dims.length - 1 - i);
  const dims = perm.map((axis) => x!.dims[axis]!);
  return filledByPlace(x!.dtype, dims, (place) =>
    elementAt(
      x!,
      x!.dims.map((_, axis) => place[perm.indexOf(axis)]!),
    ),
  );
};

const concat: Fold = (inputs, node, c) => {
  const [first] = inputs as [KnownTensor];
  const axis = axisOf(intAttr(node, c, 'axis', 1), first.dims.length, c);
  const size = inputs.reduce((sum, { dims }) => sum + dims[axis]!, 0);
  return filledByPlace(first.dtype, first.dims.with(axis, size), (place) => {
    let at = place[axis]!;
    const from = inputs.find(({ dims }) => at < dims[axis]! || (at -= dims[axis]!) < 0)!;
    return elementAt(from, place.with(axis, at));
  });
};

const slice: Fold = ([x], node, c) => {
  const slices = slicesOf(node, c, x!.dims);
  const dims = slices.map(({ length }) => length);
  return filledByPlace(x!.dtype, dims, (place) =>
    elementAt(
      x!,
      place.map((at, i) => slices[i]!.begin + at * slices[i]!.step),
    ),
  );
};

const expand: Fold = ([x, shape], _, c) =>
  filledByPlace(x!.dtype, c.broadcast(x!.dims, fixed(c, shape!, 'shape')) as number[], (place) => elementAt(x!, place));

const tile: Fold = ([x, repeats], _, c) => {
  const times = fixed(c, repeats!, 'repeats');
  return filledByPlace(
    x!.dtype,
    x!.dims.map((dim, i) => dim * times[i]!),
    (place) =>
      elementAt(
        x!,
        place.map((at, i) => at % x!.dims[i]!),
      ),
  );
};

const split: Fold = ([x, given], node, c) => {
  const axis = axisOf(intAttr(node, c, 'axis', 0), x!.dims.length, c);
  const parts = node.outputs.length;
  if (intAttr(node, c, 'num_outputs', parts) !== parts) c.fail(`its attribute num_outputs is not its ${parts} outputs`);
  const each = Math.ceil(x!.dims[axis]! / parts);
  const even = Array.from({ length: parts }, (_, i) => Math.min(each, x!.dims[axis]! - i * each));
  const sizes = given === undefined ? (intsAttr(node, c, 'split') ?? even) : fixed(c, given, 'split');
  if (sizes.length !== parts || sizes.reduce((a, b) => a + b, 0) !== x!.dims[axis])
    c.fail(`it splits ${x!.dims[axis]!} values into [${sizes.join(', ')}] for ${parts} outputs`);
  let begin = 0;
  return sizes.map((size) => {
    const from = begin;
    begin += size;
    return filledByPlace(x!.dtype, x!.dims.with(axis, size), (place) =>
      elementAt(x!, place.with(axis, place[axis]! + from)),
    );
  });
};

/** Rules that rearrange known tensors. */
export const places: Readonly<Record<string, Fold>> = {
  Gather: gather,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Reshape: reshape,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Expand: expand,
  Tile: tile,
};
