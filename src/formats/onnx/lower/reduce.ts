import { staticSize } from '../../../graph/shapes.ts';
import { flag, int, ints } from '../../../graph/ops/spec.ts';
import type { DType, Node, Shape } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import type { Layout } from './layout.ts';
import { plainLayout } from './layout.ts';
import { onFloat, onNumbers } from './rules.ts';
import type { Through } from './rules.ts';
import { cumulativeProduct } from './scan.ts';

type Reduce = (c: Lowering, op: string, x: string, axes: readonly number[], keepDims: boolean, dtype: DType) => string;

const plainReduce: Reduce = (c, op, x, axes, keepDims) => c.reduce(op, x, axes, keepDims);

/** Max and Min: ONNX Runtime's may lose NaN; if that matters, NaN is tested separately. */
const extreme: Reduce = (c, op, x, axes, keepDims, dtype) => {
  const result = c.reduce(op, x, axes, keepDims);
  if (!c.options.exactNaN || !dtype.startsWith('float')) return result;
  const found = c.reduce('ReduceMax', c.cast(c.one('IsNaN', [x]), 'int32'), axes, keepDims);
  return c.one('Where', [c.cast(found, 'bool'), c.scalar(dtype, NaN), result]);
};

/** A reduction in the operand's layout; `empty`: result over no elements. */
function reduction(op: string, empty: number, through: Through, build: Reduce = plainReduce): Rule {
  return (node, c) => {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const axes = ints(node.attrs, 'axes');
    const keepDims = flag(node.attrs, 'keepDims');
    const { dtype } = c.typeOf(x);
    if (isEmpty(c.shapeOf(x)) && !isEmpty(c.shapeOf(out))) {
      c.define(out, c.filled(c.shapeOf(out), dtype, empty));
      return;
    }
    const { tensor, layout } = c.any(x);
    const to = through[dtype];
    const operand = to === undefined ? tensor : c.cast(tensor, to);
    const positions = axes.map((axis) => layout.indexOf(axis)).sort((a, b) => a - b);
    const result =
      axes.length === 0
        ? c.one('Identity', [operand])
        : build(c, op, operand, positions, keepDims, (to ?? dtype) as DType);
    c.define(out, to === undefined ? result : c.cast(result, dtype), reducedLayout(layout, axes, keepDims));
  };
}

function isEmpty(shape: Shape): boolean {
  return shape.every((dim) => typeof dim === 'number') && staticSize(shape) === 0;
}

function reducedLayout(layout: Layout, axes: readonly number[], keepDims: boolean): Layout {
  if (keepDims) return layout;
  const left = layout.filter((axis) => !axes.includes(axis));
  return left.map((axis) => axis - axes.filter((other) => other < axis).length);
}

/** tfjs ignores NaN in the search for the largest. */
function withoutNaN(c: Lowering, x: string, dtype: DType, instead: number): string {
  return c.one('Where', [c.one('IsNaN', [x]), c.scalar(dtype, instead), x]);
}

const argument =
  (op: string, worst: number): Rule =>
  (node, c) => {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const axis = int(node.attrs, 'axis');
    const { tensor, layout } = c.any(x);
    const { dtype } = c.typeOf(x);
    const numbers = dtype === 'bool' ? c.cast(tensor, 'int32') : tensor;
    const operand = c.options.exactNaN && dtype.startsWith('float') ? withoutNaN(c, numbers, dtype, worst) : numbers;
    const result = c.one(op, [operand], { axis: layout.indexOf(axis), keepdims: 0 });
    c.define(out, c.cast(result, 'int32'), reducedLayout(layout, [axis], false));
  };

const cumulative =
  (build: (c: Lowering, x: string, node: Node, axis: number, dtype: DType, shape: Shape) => string): Rule =>
  (node, c) => {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const dtype = c.typeOf(x).dtype === 'bool' ? 'int32' : c.typeOf(x).dtype;
    const operand = dtype === c.typeOf(x).dtype ? c.plain(x) : c.cast(c.plain(x), dtype);
    const result = build(c, operand, node, int(node.attrs, 'axis'), dtype, c.shapeOf(x));
    c.define(out, dtype === c.typeOf(out).dtype ? result : c.cast(result, c.typeOf(out).dtype));
  };

const cumsum = cumulative((c, x, node, axis) =>
  c.one('CumSum', [x, c.scalar('int64', axis)], {
    exclusive: flag(node.attrs, 'exclusive') ? 1 : 0,
    reverse: flag(node.attrs, 'reverse') ? 1 : 0,
  }),
);

const cumprod = cumulative((c, x, node, axis, dtype, shape) =>
  cumulativeProduct(c, node, x, shape, axis, dtype, flag(node.attrs, 'exclusive'), flag(node.attrs, 'reverse')),
);

const topK: Rule = (node, c) => {
  const x = node.inputs[0]!;
  const { dtype } = c.typeOf(x);
  const operand = dtype === 'bool' ? c.cast(c.plain(x), 'int32') : c.plain(x);
  const attrs = { axis: -1, largest: 1, sorted: 1 };
  const [values, indices] = c.emit('TopK', [operand, c.ints([int(node.attrs, 'k')])], attrs, 2);
  c.define(node.outputs[0]!, dtype === 'bool' ? c.cast(values!, dtype) : values!);
  c.define(node.outputs[1]!, c.cast(indices!, 'int32'));
};

/** Softmax in the plain layout: it is fast along the last axis, which the channels of an NCHW tensor are not. */
const softmax =
  (op: string): Rule =>
  (node, c) => {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const layout = plainLayout(c.shapeOf(x).length);
    const axis = int(node.attrs, 'axis');
    const value = c.plain(x);
    const isOfOne = op === 'Softmax' && c.shapeOf(x).at(axis) === 1;
    // Over a single value the result is 1, for which the integer kernel of ONNX Runtime 1.30 gives 0.
    const result = isOfOne
      ? c.one('Add', [c.one('Sub', [value, value]), c.scalar('float32', 1)])
      : c.one(op, [value], { axis: axis < 0 ? axis + layout.length : axis });
    c.define(out, result, layout);
  };

export const reduceRules: Record<string, Rule> = {
  Sum: reduction('ReduceSum', 0, onNumbers),
  Mean: reduction('ReduceMean', NaN, onFloat),
  Max: reduction('ReduceMax', -Infinity, onNumbers, extreme),
  Min: reduction('ReduceMin', Infinity, onNumbers, extreme),
  Prod: reduction('ReduceProd', 1, onNumbers),
  All: reduction('ReduceMin', 1, onNumbers),
  Any: reduction('ReduceMax', 0, onNumbers),
  LogSumExp: reduction('ReduceLogSumExp', -Infinity, onFloat),
  ArgMax: argument('ArgMax', -Infinity),
  ArgMin: argument('ArgMin', Infinity),
  Cumsum: cumsum,
  Cumprod: cumprod,
  TopK: topK,
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
};
