import { isStatic } from '../../../../graph/shapes.ts';
import { elementCount, tensorData } from '../../model.ts';
import { attr, axisOf, ignore, intAttr, intsAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Import, Importer } from '../context.ts';
import { joinedPart } from '../joined-part.ts';
import { knownIntegers } from '../fold/known.ts';
import { nhwcAxis } from './shape.ts';
import { slicesOf } from '../slices.ts';

const concat: Importer = (node, c) => {
  const { inputs, outputs } = node;
  const axisAttribute = intAttr(node, c, 'axis', 1);
  const rank = c.shapeOf(inputs[0]!).length;
  const axis = axisOf(axisAttribute, rank, c);
  const last = rank === 4 && inputs.every((name) => c.liesChannelsLast(name));
  const values = inputs.map((name) => (last ? c.nhwc(name) : c.plain(name)));
  const y = c.op('Concat', values, { axis: last ? nhwcAxis(axis) : axis });
  c.define(outputs[0]!, last ? { nhwc: y } : { plain: y });
};

/** Axes of [n, c, h, w] in the order [n, h, w, c]. */
const CHANNELS_LAST = [0, 2, 3, 1];

const slice: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const last = c.liesChannelsLast(x);
  const lying = <T>(all: readonly T[]): T[] => (last ? CHANNELS_LAST.map((axis) => all[axis]!) : [...all]);
  const from = lying(c.shapeOf(x));
  const slices = lying(slicesOf(node, c, c.shapeOf(x)));
  const begin = slices.map((one) => one.begin);
  const size = slices.map(({ length }) => length);
  // A negative step is a positive step on the reversed axis.
  const turned = slices.flatMap(({ step }, axis) => (step < 0 ? [axis] : []));
  let value = last ? c.nhwc(x) : c.plain(x);
  if (turned.length > 0) value = c.op('Reverse', [value], { axes: turned });
  for (const axis of turned) begin[axis] = (from[axis] as number) - 1 - begin[axis]!;
  const steps = slices.map(({ step }) => Math.abs(step));
  // Length of the range that the taken elements span.
  const reach = size.map((n, i) => (n <= 0 ? n : (n - 1) * steps[i]! + 1));
  value = c.op('Slice', [value], { begin, size: reach });
  steps.forEach((step, axis) => {
    if (step > 1 && size[axis]! > 1) value = everyNth(c, value, axis, step);
  });
  c.define(node.outputs[0]!, last ? { nhwc: value } : { plain: value });
};

/** Sequences in reverse, each of which has all steps. */
const reverseSequence: Importer = (node, c) => {
  const [x, lengths] = node.inputs as [string, string];
  ignore(node, 'batch_axis');
  const axis = intAttr(node, c, 'time_axis', 0);
  const steps = c.shapeOf(x)[axis];
  // A length that is repeated for each sample of an open batch.
  const repeated = c.isKnown(lengths) ? undefined : c.builder.producerOf(c.plain(lengths));
  const data = repeated?.op === 'BroadcastTo' ? c.builder.constantOf(repeated.inputs[0]!)?.data : undefined;
  const all = c.knownOf(lengths)?.values ?? (data && Array.from(data, Number));
  if (typeof steps !== 'number' || all === undefined || all.some((one) => one !== steps))
    c.fail(`its sequences have other lengths than ${String(steps)}, the number of steps, or lengths that are computed`);
  c.define(node.outputs[0]!, { plain: c.op('Reverse', [c.plain(x)], { axes: [axis] }) });
};

/** Elements 0, n, 2n ... along an axis, as the first column of rows of n: works for any other axes, even the batch. */
function everyNth(c: Import, value: string, axis: number, n: number): string {
  const { shape } = c.builder.typeOf(value);
  const count = Math.ceil((shape[axis] as number) / n);
  const missing = count * n - (shape[axis] as number);
  const paddings = shape.flatMap((_, i) => [0, i === axis ? missing : 0]);
  const whole = c.op('Pad', [value], { paddings, constantValue: 0 });
  const split = [...shape.slice(0, axis), count, n, ...shape.slice(axis + 1)];
  const rows = c.op('Reshape', [whole], { shape: split });
  const begin = split.map(() => 0);
  const size = split.map((dim, i) => (i === axis + 1 ? 1 : typeof dim === 'number' ? dim : -1));
  const column = c.op('Slice', [rows], { begin, size });
  return c.op('Reshape', [column], { shape: [...shape.slice(0, axis), count, ...shape.slice(axis + 1)] });
}

const split: Importer = (node, c) => {
  const [x, given = ''] = node.inputs as [string, string?];
  const from = c.shapeOf(x);
  const axis = axisOf(intAttr(node, c, 'axis', 0), from.length, c);
  const dim = from[axis];
  if (typeof dim !== 'number') return c.fail('it splits the batch', FIXED_BATCH);
  const parts = node.outputs.length;
  if (intAttr(node, c, 'num_outputs', parts) !== parts) c.fail(`its attribute num_outputs is not its ${parts} outputs`);
  const each = Math.ceil(dim / parts);
  const sizes =
    given !== ''
      ? c.ints(given, 'split')
      : (intsAttr(node, c, 'split') ?? Array.from({ length: parts }, (_, i) => Math.min(each, dim - i * each)));
  if (sizes.length !== parts || sizes.some((size) => size < 0))
    c.fail(`it splits ${dim} values into [${sizes.join(', ')}] for ${parts} outputs`);
  c.ops('Split', [c.plain(x)], { axis, sizes }).forEach((value, i) => c.define(node.outputs[i]!, { plain: value }));
};

const gather: Importer = (node, c) => {
  const [x, indices] = node.inputs as [string, string];
  const shape = c.shapeOf(x);
  const axis = axisOf(intAttr(node, c, 'axis', 0), shape.length, c);
  const dim = shape[axis];
  if (typeof dim !== 'number') return c.fail('it gathers from the batch', FIXED_BATCH);
  const known = c.knownOf(indices);
  const place = known?.dims.length === 0 ? Number(known.values[0]) : undefined;
  const part = place === undefined ? undefined : joinedPart(c, c.plain(x), axis, place < 0 ? place + dim : place);
  c.define(node.outputs[0]!, {
    plain: part ?? c.op('GatherV2', [c.plain(x), indicesOf(c, indices, dim)], { axis, batchDims: 0 }),
  });
};

/** Stored indexes made non-negative, or computed ones. */
function indicesOf(c: Import, name: string, dim: number): string {
  const known = c.knownOf(name);
  if (known === undefined) {
    const value = c.plain(name);
    const { dtype } = c.builder.typeOf(value);
    return /^int/.test(dtype) ? value : c.fail(`its indices are ${dtype}, expected integers`);
  }
  const values = known.values.map((value) => {
    if (typeof value !== 'number') return c.fail('its indices depend on the batch size');
    return value < 0 ? value + dim : value;
  });
  if (values.some((value) => value < 0 || value >= dim)) c.fail(`it gathers [${known.values.join(', ')}] of ${dim}`);
  return c.builder.constant({ dtype: 'int32', shape: known.dims }, Int32Array.from(values));
}

const constant: Importer = (node, c) => {
  const output = node.outputs[0]!;
  const float = attr(node, c, 'value_float', 'float');
  const floats = float === undefined ? attr(node, c, 'value_floats', 'floats') : [float];
  const int = attr(node, c, 'value_int', 'int');
  const ints = int === undefined ? attr(node, c, 'value_ints', 'ints') : [int];
  if (floats !== undefined) {
    const data = Float32Array.from(floats);
    c.define(output, { plain: c.constant(data, float === undefined ? [data.length] : []) });
  } else if (ints !== undefined) c.defineKnown(output, knownIntegers(ints.map(Number), int !== undefined));
  else c.fail('a constant that is no tensor of numbers');
};

/** ConstantOfShape of floats; other types are known values. */
const constantOfShape: Importer = (node, c) => {
  const dims = c.numbers(node.inputs[0], 'shape');
  const valueTensor = attr(node, c, 'value', 'tensor');
  const value = valueTensor === undefined ? 0 : Number(tensorData(valueTensor)?.[0]);
  const output = node.outputs[0]!;
  if (isStatic(dims)) {
    c.define(output, { plain: c.constant(new Float32Array(elementCount(dims)).fill(value), dims) });
    return;
  }
  c.define(output, { plain: c.op('BroadcastTo', [c.constant(Float32Array.of(value), [])], { shape: dims }) });
};

/** Crops or zero-pads both ends equally to the requested sizes. */
const centerCropPad: Importer = (node, c) => {
  const [x, sizes] = node.inputs as [string, string];
  const from = c.shapeOf(x);
  const lengths = c.ints(sizes, 'shape');
  const axes = (intsAttr(node, c, 'axes') ?? from.map((_, i) => i)).map((axis) => axisOf(axis, from.length, c));
  const to = from.map((dim, axis) => (axes.includes(axis) ? lengths[axes.indexOf(axis)]! : dim));
  const cuts = from.map((dim, i) =>
    to[i] === dim ? 0 : typeof dim === 'number' ? dim - Number(to[i]) : c.fail('it cuts the batch', FIXED_BATCH),
  );
  const begin = cuts.map((cut) => Math.max(0, Math.floor(cut / 2)));
  const size = from.map((dim, i) => (typeof dim === 'number' ? Math.min(dim, Number(to[i])) : -1));
  const paddings = cuts.flatMap((cut) => (cut >= 0 ? [0, 0] : [Math.floor(-cut / 2), Math.ceil(-cut / 2)]));
  const cut = c.op('Slice', [c.plain(x)], { begin, size });
  c.define(node.outputs[0]!, { plain: c.op('Pad', [cut], { paddings, constantValue: 0 }) });
};

/** A matrix of another's size with ones on a diagonal. */
const eyeLike: Importer = (node, c) => {
  const shape = c.shapeOf(node.inputs[0]!);
  if (!isStatic(shape) || shape.length !== 2)
    return c.fail(`of [${shape.join(', ')}]; expected a matrix of a fixed size`);
  const by = intAttr(node, c, 'k', 0);
  const type = attr(node, c, 'dtype', 'int');
  // 1: float32.
  if (
    (type !== undefined && Number(type) !== 1) ||
    (type === undefined && c.builder.typeOf(c.plain(node.inputs[0]!)).dtype !== 'float32')
  )
    c.fail('of other numbers than float32');
  const [rows, columns] = shape as readonly [number, number];
  const data = Float32Array.from({ length: rows * columns }, (_, i) =>
    Number((i % columns) - Math.floor(i / columns) === by),
  );
  c.define(node.outputs[0]!, { plain: c.constant(data, shape) });
};

/** Importers of operators that split, join or create tensors. */
export const partImporters: Readonly<Record<string, Importer>> = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  CenterCropPad: centerCropPad,
  EyeLike: eyeLike,
  ReverseSequence: reverseSequence,
};
