import { batchTimes, sameShape, symbolicSize } from '../../../../graph/shapes.ts';
import type { Dim, Shape } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { attr, axisOf, intAttr, intsAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { knownIntegers } from '../fold/known.ts';
import { FIXED_BATCH, OTHER_SIZES } from '../hints.ts';
import { side } from './norm.ts';

/** Axes from an attribute (older operator sets) or an input. */
export function axesOfNode(node: OnnxNode, c: Import, rank: number): number[] | undefined {
  const input = node.inputs[1] ?? '';
  const axes = input === '' ? intsAttr(node, c, 'axes') : c.ints(input, 'axes');
  return axes?.map((axis) => axisOf(axis, rank, c)).sort((a, b) => a - b);
}

function reshaped(c: Import, output: string, value: string, shape: Shape): void {
  c.define(output, { plain: c.op('Reshape', [value], { shape }) });
}

const reshape: Importer = (node, c) => {
  const [x, shape = ''] = node.inputs as [string, string?];
  const newShape = shape === '' ? intsAttr(node, c, 'shape') : c.numbers(shape, 'shape');
  const isZeroKept = intAttr(node, c, 'allowzero', 0) === 1;
  const from = c.shapeOf(x);
  const wanted = (newShape ?? c.fail('it names no shape')).map((dim, i) => {
    if (dim !== 0 || isZeroKept) return dim;
    return from[i] ?? c.fail(`it keeps axis ${i} of a tensor with ${from.length} axes`);
  });
  const target = wanted.map((dim) => (dim === -1 ? restOf(c, from, wanted) : dim));
  reshaped(c, node.outputs[0]!, c.plain(x), target);
};

/** Size that -1 stands for. */
function restOf(c: Import, from: Shape, wanted: readonly Dim[]): Dim {
  const others = symbolicSize(wanted.map((dim) => (dim === -1 ? 1 : dim)));
  const all = symbolicSize(from);
  const rest = all.factor / others.factor;
  if (!Number.isInteger(rest)) c.fail(`it cannot make [${wanted.join(', ')}] of [${from.join(', ')}]`, OTHER_SIZES);
  return all.power > others.power ? batchTimes(rest) : rest;
}

const flatten: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const from = c.shapeOf(x);
  const axisAttribute = intAttr(node, c, 'axis', 1);
  const axis = axisAttribute === from.length ? axisAttribute : axisOf(axisAttribute, from.length, c);
  reshaped(c, node.outputs[0]!, c.plain(x), [side(from.slice(0, axis)), side(from.slice(axis))]);
};

const squeeze: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const from = c.shapeOf(x);
  const declaredAxes = axesOfNode(node, c, from.length);
  if (declaredAxes === undefined && from.some((dim) => typeof dim !== 'number'))
    c.fail('without axes: whether the batch is one of them depends on its size', FIXED_BATCH);
  const axes = declaredAxes ?? from.flatMap((dim, i) => (dim === 1 ? [i] : []));
  const other = axes.find((axis) => from[axis] !== 1);
  if (other !== undefined) c.fail(`its axis ${other} is ${from[other]!}, expected 1`);
  reshaped(
    c,
    node.outputs[0]!,
    c.plain(x),
    from.filter((_, i) => !axes.includes(i)),
  );
};

const unsqueeze: Importer = (node, c) => {
  const [x, axesInput = ''] = node.inputs as [string, string?];
  const newAxes =
    axesInput === '' ? (intsAttr(node, c, 'axes') ?? c.fail('it names no axes')) : c.ints(axesInput, 'axes');
  const from = c.shapeOf(x);
  const rank = from.length + newAxes.length;
  const axes = newAxes.map((axis) => axisOf(axis, rank, c));
  const rest = [...from];
  reshaped(
    c,
    node.outputs[0]!,
    c.plain(x),
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)),
  );
};

const transpose: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const rank = c.shapeOf(x).length;
  const perm = intsAttr(node, c, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  c.define(node.outputs[0]!, { plain: c.op('Transpose', [c.plain(x)], { perm }) });
};

const shape: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const sizes = c.knownOf(x)?.dims ?? c.shapeOf(x);
  const known = sizes.slice(intAttr(node, c, 'start', 0), intAttr(node, c, 'end', sizes.length));
  c.defineKnown(node.outputs[0]!, knownIntegers(known));
};

const size: Importer = (node, c) => {
  c.defineKnown(node.outputs[0]!, knownIntegers([side(c.shapeOf(node.inputs[0]!))], true));
};

/** Axis of [n, h, w, c] for an axis of [n, c, h, w]. */
export function nhwcAxis(axis: number): number {
  return [0, 3, 1, 2][axis]!;
}

const expand: Importer = (node, c) => {
  const [x, to] = node.inputs as [string, string];
  const shape = c.broadcast(c.shapeOf(x), c.numbers(to, 'shape'));
  const output = node.outputs[0]!;
  const isSame = sameShape(shape, c.shapeOf(x));
  // A trained weight keeps its name.
  if (isSame && c.isTrained && c.isWeights(x)) c.define(output, { plain: c.plain(x) });
  else if (isSame) c.alias(output, x);
  else c.define(output, { plain: c.op('BroadcastTo', [c.plain(x)], { shape }) });
};

const tile: Importer = (node, c) => {
  const [x, repeats] = node.inputs as [string, string];
  const [first, ...others] = c.numbers(repeats, 'repeats');
  const shape = c.shapeOf(x);
  let y = c.plain(x);
  const isForEach = typeof first === 'string' && shape[0] === 1;
  // A constant for all samples, such as the queries of a decoder.
  if (isForEach) y = c.op('BroadcastTo', [y], { shape: [first, ...shape.slice(1)] });
  const times = [isForEach ? 1 : first!, ...others].map((n) =>
    typeof n === 'number' ? n : c.fail('its repeats depend on the batch size', FIXED_BATCH),
  );
  c.define(node.outputs[0]!, { plain: times.every((n) => n === 1) ? y : c.op('Tile', [y], { reps: times }) });
};

/** [n, c, h, w] with its axes split, permuted and merged. */
function rearranged(c: Import, x: string, split: Shape, perm: readonly number[], shape: Shape): string {
  const parts = c.op('Reshape', [c.plain(x)], { shape: split });
  return c.op('Reshape', [c.op('Transpose', [parts], { perm })], { shape });
}

const depthToSpace: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const blockSize = intAttr(node, c, 'blocksize', 1);
  const mode = attr(node, c, 'mode', 'string') ?? 'DCR';
  const [n, channels, h, w] = c.shapeOf(x) as readonly [Dim, number, number, number];
  if (mode === 'DCR') {
    c.defineNhwc(node.outputs[0]!, c.op('DepthToSpace', [c.nhwc(x)], { blockSize }));
    return;
  }
  if (mode !== 'CRD') c.fail(`its attribute mode is ${mode}, expected DCR or CRD`);
  const out = channels / blockSize ** 2;
  const split = [n, out, blockSize, blockSize, h, w];
  const y = rearranged(c, x, split, [0, 1, 4, 2, 5, 3], [n, out, h * blockSize, w * blockSize]);
  c.define(node.outputs[0]!, { plain: y });
};

const spaceToDepth: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const b = intAttr(node, c, 'blocksize', 1);
  const mode = attr(node, c, 'mode', 'string') ?? 'DCR';
  if (mode !== 'DCR' && mode !== 'CRD') c.fail(`its attribute mode is ${mode}, expected DCR or CRD`);
  const [n, channels, h, w] = c.shapeOf(x) as readonly [Dim, number, number, number];
  const split = [n, channels, h / b, b, w / b, b];
  const y = rearranged(c, x, split, mode === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4], [
    n,
    channels * b * b,
    h / b,
    w / b,
  ]);
  c.define(node.outputs[0]!, { plain: y });
};

export const shapeImporters: Readonly<Record<string, Importer>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Shape: shape,
  Size: size,
  Expand: expand,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
