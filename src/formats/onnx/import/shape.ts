import { batchTimes, sizeOf } from '../../../graph/shapes.ts';
import type { Dim, Shape } from '../../../graph/types.ts';
import { elementCount } from '../model.ts';
import type { OnnxNode } from '../model.ts';
import type { Import, Importer } from './context.ts';
import { attr, floatAttr, intAttr, intsAttr } from './context.ts';

const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Axes given as an attribute (older operator sets) or as an input. */
function axesOf(node: OnnxNode, c: Import, position: number, rank: number): number[] | undefined {
  const input = node.inputs[position] ?? '';
  const axes = input === '' ? intsAttr(node, 'axes') : c.ints(input, 'axes');
  return axes?.map((axis) => positive(axis, rank)).sort((a, b) => a - b);
}

function reshaped(c: Import, output: string, value: string, shape: Shape): void {
  c.define(output, { plain: c.op('Reshape', [value], { shape }) });
}

const reshape: Importer = (node, c) => {
  const [x, shape] = node.inputs as [string, string];
  const from = c.shapeOf(x);
  const wanted = c.numbers(shape, 'shape').map((dim, i) => (dim === 0 ? from[i]! : dim));
  const known = sizeOf(wanted.map((dim) => (dim === -1 ? 1 : dim)));
  const all = sizeOf(from);
  const rest = all.factor / known.factor;
  const missing: Dim = all.power > known.power ? batchTimes(rest) : rest;
  reshaped(
    c,
    node.outputs[0]!,
    c.plain(x),
    wanted.map((dim) => (dim === -1 ? missing : dim)),
  );
};

const flatten: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const from = c.shapeOf(x);
  const axis = positive(intAttr(node, 'axis', 1), from.length);
  const side = (dims: Shape): Dim => {
    const { factor, power } = sizeOf(dims);
    return power === 0 ? factor : batchTimes(factor);
  };
  reshaped(c, node.outputs[0]!, c.plain(x), [side(from.slice(0, axis)), side(from.slice(axis))]);
};

/** Sizes that are computed with stay a list of sizes, whatever their shape. */
function passedOn(node: Parameters<Importer>[0], c: Parameters<Importer>[1], x: string): boolean {
  const known = c.sizesOf(x);
  if (known !== undefined) c.defineSizes(node.outputs[0]!, known);
  return known !== undefined;
}

const squeeze: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  if (passedOn(node, c, x)) return;
  const from = c.shapeOf(x);
  const axes = axesOf(node, c, 1, from.length) ?? from.flatMap((dim, i) => (dim === 1 ? [i] : []));
  reshaped(
    c,
    node.outputs[0]!,
    c.plain(x),
    from.filter((_, i) => !axes.includes(i)),
  );
};

const unsqueeze: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  if (passedOn(node, c, x)) return;
  const from = c.shapeOf(x);
  const given = node.inputs[1] === undefined ? intsAttr(node, 'axes')! : c.ints(node.inputs[1], 'axes');
  const rank = from.length + given.length;
  const axes = given.map((axis) => positive(axis, rank));
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
  const perm = intsAttr(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  c.define(node.outputs[0]!, { plain: c.op('Transpose', [c.plain(x)], { perm }) });
};

const concat: Importer = (node, c) => {
  const { inputs, outputs } = node;
  const sizes = inputs.map((name) => c.sizesOf(name));
  if (sizes.some((known) => known !== undefined)) {
    c.defineSizes(
      outputs[0]!,
      inputs.flatMap((name) => c.numbers(name, 'sizes')),
    );
    return;
  }
  const rank = c.shapeOf(inputs[0]!).length;
  const axis = positive(intAttr(node, 'axis', 0), rank);
  const last = rank === 4 && inputs.every((name) => c.liesChannelsLast(name));
  const values = inputs.map((name) => (last ? c.nhwc(name) : c.plain(name)));
  const y = c.op('Concat', values, { axis: last ? nhwcAxis(axis) : axis });
  c.define(outputs[0]!, last ? { nhwc: y } : { plain: y });
};

/** Where an axis of [n, c, h, w] lies in [n, h, w, c]. */
function nhwcAxis(axis: number): number {
  return [0, 3, 1, 2][axis]!;
}

const slice: Importer = (node, c) => {
  const [x, starts, ends, axes = '', steps = ''] = node.inputs as [string, string?, string?, string?, string?];
  const known = c.sizesOf(x);
  const from = known === undefined ? c.shapeOf(x) : [known.length];
  const of = (input: string | undefined, name: string): number[] =>
    input === undefined || input === '' ? (intsAttr(node, name) ?? []) : c.ints(input, name);
  const [first, last] = [of(starts, 'starts'), of(ends, 'ends')];
  const given = of(axes, 'axes');
  const where = (given.length === 0 ? first.map((_, i) => i) : given).map((axis) => positive(axis, from.length));
  if (of(steps, 'steps').some((step) => step !== 1)) c.fail('with a step; expected steps of 1');
  const begin = from.map(() => 0);
  const size: number[] = from.map((dim) => (typeof dim === 'number' ? dim : -1));
  where.forEach((axis, i) => {
    const dim = from[axis]!;
    if (typeof dim !== 'number') {
      if (first[i] !== 0 || last[i]! < 2 ** 31 - 1) c.fail('it cuts the batch');
      return;
    }
    const place = (value: number): number => Math.max(0, Math.min(dim, value < 0 ? value + dim : value));
    begin[axis] = place(first[i]!);
    size[axis] = Math.max(0, place(last[i]!) - begin[axis]);
  });
  if (known !== undefined) {
    c.defineSizes(node.outputs[0]!, known.slice(begin[0], begin[0]! + size[0]!));
    return;
  }
  c.define(node.outputs[0]!, { plain: c.op('Slice', [c.plain(x)], { begin, size }) });
};

const split: Importer = (node, c) => {
  const [x, given = ''] = node.inputs as [string, string?];
  const from = c.shapeOf(x);
  const axis = positive(intAttr(node, 'axis', 0), from.length);
  const dim = from[axis] as number;
  const parts = node.outputs.length;
  const each = Math.ceil(dim / parts);
  const sizes =
    given !== ''
      ? c.ints(given, 'split')
      : (intsAttr(node, 'split') ?? Array.from({ length: parts }, (_, i) => Math.min(each, dim - i * each)));
  const values = c.builder.node('Split', [c.plain(x)], { axis, sizes }, { layer: c.layer });
  node.outputs.forEach((name, i) => c.define(name, { plain: values[i]! }));
};

const gather: Importer = (node, c) => {
  const [x, indices] = node.inputs as [string, string];
  const known = c.sizesOf(x);
  if (known !== undefined) {
    const picked = c.ints(indices, 'indices').map((i) => known[positive(i, known.length)]!);
    c.defineSizes(node.outputs[0]!, picked);
    return;
  }
  const rank = c.shapeOf(x).length;
  const axis = positive(intAttr(node, 'axis', 0), rank);
  const stored = c.stored(indices);
  let at: string;
  if (stored === undefined) at = c.plain(indices);
  else {
    const dim = c.shapeOf(x)[axis] as number;
    const values = Int32Array.from(
      Array.from(stored.data as ArrayLike<number | bigint>, (i) => positive(Number(i), dim)),
    );
    at = c.builder.constant({ dtype: 'int32', shape: stored.type.shape }, values);
  }
  c.define(node.outputs[0]!, { plain: c.op('GatherV2', [c.plain(x), at], { axis, batchDims: 0 }) });
};

const shape: Importer = (node, c) => {
  const sizes = c.shapeOf(node.inputs[0]!);
  const [start, end] = [intAttr(node, 'start', 0), intAttr(node, 'end', sizes.length)];
  c.defineSizes(node.outputs[0]!, sizes.slice(start, end));
};

const pad: Importer = (node, c) => {
  const [x, amounts = '', value = '', axes = ''] = node.inputs as [string, string?, string?, string?];
  const mode = attr(node, 'mode') ?? 'constant';
  const rank = c.shapeOf(x).length;
  const pads = amounts === '' ? intsAttr(node, 'pads')! : c.ints(amounts, 'pads');
  if (mode !== 'constant' && mode !== 'reflect') c.fail(`an unknown mode; expected constant or reflect`);
  const over =
    axes === '' ? Array.from({ length: rank }, (_, i) => i) : c.ints(axes, 'axes').map((a) => positive(a, rank));
  const last = c.liesChannelsLast(x);
  const paddings = new Array<number>(2 * rank).fill(0);
  over.forEach((axis, i) => {
    const at = last ? nhwcAxis(axis) : axis;
    paddings[2 * at] = pads[i]!;
    paddings[2 * at + 1] = pads[i + over.length]!;
  });
  if (paddings.some((amount) => amount < 0)) c.fail('it cuts away');
  const operand = [last ? c.nhwc(x) : c.plain(x)];
  const constantValue = value === '' ? floatAttr(node, 'value', 0) : c.ints(value, 'value')[0]!;
  const y =
    mode === 'constant'
      ? c.op('Pad', operand, { paddings, constantValue })
      : c.op('MirrorPad', operand, { paddings, mode: 'reflect' });
  c.define(node.outputs[0]!, last ? { nhwc: y } : { plain: y });
};

const reduction =
  (op: string): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const rank = c.shapeOf(x).length;
    const axes = axesOf(node, c, 1, rank) ?? Array.from({ length: rank }, (_, i) => i);
    const keepDims = intAttr(node, 'keepdims', 1) === 1;
    const isSpatial = axes.join() === '2,3' && c.liesChannelsLast(x);
    const y = c.op(op, [isSpatial ? c.nhwc(x) : c.plain(x)], { axes: isSpatial ? [1, 2] : axes, keepDims });
    c.define(node.outputs[0]!, isSpatial && keepDims ? { nhwc: y } : { plain: y });
  };

const constant: Importer = (node, c) => {
  const value = attr(node, 'value');
  const floats = attr(node, 'value_floats') ?? attr(node, 'value_float');
  const numbers = attr(node, 'value_ints') ?? attr(node, 'value_int');
  const output = node.outputs[0]!;
  if (value !== undefined) return c.fail('a constant without a tensor'); // Tensors are taken in beforehand.
  const list = (given: unknown): readonly (number | bigint)[] => (Array.isArray(given) ? given : [given]) as number[];
  if (floats !== undefined) {
    const data = Float32Array.from(list(floats), Number);
    c.define(output, { plain: c.constant(data, Array.isArray(floats) ? [data.length] : []) });
  } else if (numbers !== undefined) c.defineSizes(output, list(numbers).map(Number));
  else c.fail('a constant that is no tensor of numbers');
};

const constantOfShape: Importer = (node, c) => {
  const sizes = c.ints(node.inputs[0], 'shape');
  const given = attr(node, 'value');
  if (given !== undefined) c.fail('filled with a given value');
  c.define(node.outputs[0]!, { plain: c.constant(new Float32Array(elementCount(sizes)), sizes) });
};

export const shapeImporters: Readonly<Record<string, Importer>> = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Shape: shape,
  Pad: pad,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  ReduceMean: reduction('Mean'),
  ReduceSum: reduction('Sum'),
  ReduceMax: reduction('Max'),
  ReduceMin: reduction('Min'),
};
