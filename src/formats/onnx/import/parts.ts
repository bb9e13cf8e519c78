import { elementCount, tensorData } from '../model.ts';
import type { OnnxNode } from '../model.ts';
import { attr, axisOf, intAttr, intsAttr } from './attrs.ts';
import type { Import, Importer } from './context.ts';
import { nhwcAxis } from './shape.ts';

const concat: Importer = (node, c) => {
  const { inputs, outputs } = node;
  const given = intAttr(node, c, 'axis', 1);
  const sizes = inputs.map((name) => c.sizesOf(name));
  if (sizes.some((known) => known !== undefined)) {
    if (axisOf(given, 1, c) !== 0 || sizes.some((known) => known?.isScalar)) c.fail('of sizes; expected lists of them');
    c.defineSizes(
      outputs[0]!,
      inputs.flatMap((name) => c.numbers(name, 'sizes')),
    );
    return;
  }
  const rank = c.shapeOf(inputs[0]!).length;
  const axis = axisOf(given, rank, c);
  const last = rank === 4 && inputs.every((name) => c.liesChannelsLast(name));
  const values = inputs.map((name) => (last ? c.nhwc(name) : c.plain(name)));
  const y = c.op('Concat', values, { axis: last ? nhwcAxis(axis) : axis });
  c.define(outputs[0]!, last ? { nhwc: y } : { plain: y });
};

const slice: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const known = c.sizesOf(x);
  const from = known === undefined ? c.shapeOf(x) : [known.values.length];
  const { first, last, where } = bounds(node, c, from.length);
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
  if (known === undefined) {
    c.define(node.outputs[0]!, { plain: c.op('Slice', [c.plain(x)], { begin, size }) });
    return;
  }
  c.defineSizes(node.outputs[0]!, known.values.slice(begin[0], begin[0]! + size[0]!));
};

/** Where a slice begins and ends on which axes: attributes before operator set 10, inputs since. */
function bounds(node: OnnxNode, c: Import, rank: number): Record<'first' | 'last' | 'where', number[]> {
  const of = (position: number, name: string): number[] | undefined => {
    if (c.opset < 10) return intsAttr(node, c, name);
    const input = node.inputs[position] ?? '';
    return input === '' ? undefined : c.ints(input, name);
  };
  const first = of(1, 'starts') ?? c.fail('it names no starts');
  const last = of(2, 'ends') ?? c.fail('it names no ends');
  const where = (of(3, 'axes') ?? first.map((_, i) => i)).map((axis) => axisOf(axis, rank, c));
  const steps = c.opset < 10 ? undefined : of(4, 'steps');
  if (steps?.some((step) => step !== 1) === true) c.fail('with a step; expected steps of 1');
  if (last.length !== first.length || where.length !== first.length)
    c.fail(`${first.length} starts, ${last.length} ends and ${where.length} axes`);
  return { first, last, where };
}

const split: Importer = (node, c) => {
  const [x, given = ''] = node.inputs as [string, string?];
  const from = c.shapeOf(x);
  const axis = axisOf(intAttr(node, c, 'axis', 0), from.length, c);
  const dim = from[axis];
  if (typeof dim !== 'number') return c.fail('it splits the batch');
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
  const given = intAttr(node, c, 'axis', 0);
  const known = c.sizesOf(x);
  const shape = known === undefined ? c.shapeOf(x) : [known.values.length];
  const axis = axisOf(given, shape.length, c);
  const dim = shape[axis];
  if (typeof dim !== 'number') return c.fail('it gathers from the batch');
  const { values, dims } = indicesOf(c, indices);
  const at = values.map((value) => (value < 0 ? value + dim : value));
  if (at.some((value) => value < 0 || value >= dim)) c.fail(`it gathers [${values.join(', ')}] of ${dim}`);
  if (known !== undefined) {
    if (dims.length > 1) c.fail('it makes a matrix of sizes');
    c.defineSizes(
      node.outputs[0]!,
      at.map((i) => known.values[i]!),
      dims.length === 0,
    );
    return;
  }
  const held = c.builder.constant({ dtype: 'int32', shape: dims }, Int32Array.from(at));
  c.define(node.outputs[0]!, { plain: c.op('GatherV2', [c.plain(x), held], { axis, batchDims: 0 }) });
};

function indicesOf(c: Import, name: string): { values: number[]; dims: number[] } {
  const stored = c.stored(name);
  if (stored !== undefined && /^int/.test(stored.type.dtype))
    return {
      values: Array.from(stored.data as ArrayLike<number | bigint>, Number),
      dims: stored.type.shape as number[],
    };
  const values = c.ints(name, 'indices');
  return { values, dims: c.sizesOf(name)!.isScalar ? [] : [values.length] };
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
  } else if (ints !== undefined) c.defineSizes(output, ints.map(Number), int !== undefined);
  else c.fail('a constant that is no tensor of numbers');
};

const constantOfShape: Importer = (node, c) => {
  const dims = c.ints(node.inputs[0], 'shape');
  const given = attr(node, c, 'value', 'tensor');
  const value = given === undefined ? 0 : Number(tensorData(given)?.[0]);
  const count = elementCount(dims);
  if ((given?.dtype ?? 'float32') === 'float32') {
    c.define(node.outputs[0]!, { plain: c.constant(new Float32Array(count).fill(value), dims) });
    return;
  }
  if (given?.dtype !== 'int64' || dims.length > 1) c.fail(`filled with ${given!.dtype}; expected float32`);
  c.defineSizes(node.outputs[0]!, new Array<number>(count).fill(value), dims.length === 0);
};

/** What takes tensors apart, puts them together, or makes them of nothing. */
export const partImporters: Readonly<Record<string, Importer>> = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Constant: constant,
  ConstantOfShape: constantOfShape,
};
