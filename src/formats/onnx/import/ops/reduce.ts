import { axisOf, intAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Import, Importer } from '../context.ts';
import { axesOfNode } from './shape.ts';

type Step = (c: Import, value: string) => string;
const by =
  (op: string): Step =>
  (c, value) =>
    c.op(op, [value]);

/** A reduction, with functions before and after it. */
const reduction =
  (op: string, before?: Step, after?: Step): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const rank = c.shapeOf(x).length;
    const declaredAxes = axesOfNode(node, c, rank) ?? [];
    const keepDims = intAttr(node, c, 'keepdims', 1) === 1;
    const isNothing = declaredAxes.length === 0 && intAttr(node, c, 'noop_with_empty_axes', 0) === 1;
    if (declaredAxes.length > 0) node.attrs.get('noop_with_empty_axes');
    if (isNothing) {
      const value = before?.(c, c.plain(x)) ?? c.plain(x);
      c.define(node.outputs[0]!, { plain: after?.(c, value) ?? value });
      return;
    }
    const axes = declaredAxes.length === 0 ? Array.from({ length: rank }, (_, i) => i) : declaredAxes;
    const isSpatial = axes.join() === '2,3' && c.liesChannelsLast(x);
    const value = isSpatial ? c.nhwc(x) : c.plain(x);
    const reduced = c.op(op, [before?.(c, value) ?? value], { axes: isSpatial ? [1, 2] : axes, keepDims });
    const y = after?.(c, reduced) ?? reduced;
    c.define(node.outputs[0]!, isSpatial && keepDims ? { nhwc: y } : { plain: y });
  };

/** Index of the first (or last) largest or smallest value. */
const argument =
  (op: 'ArgMax' | 'ArgMin'): Importer =>
  (node, c) => {
    const [x] = node.inputs as [string];
    const shape = c.shapeOf(x);
    const axis = axisOf(intAttr(node, c, 'axis', 0), shape.length, c);
    let y: string;
    if (intAttr(node, c, 'select_last_index', 0) === 0) y = c.op(op, [c.plain(x)], { axis });
    else {
      // The last occurrence is the first in reversed order.
      const size = shape[axis];
      if (typeof size !== 'number') return c.fail('along the batch', FIXED_BATCH);
      const last = c.builder.constant({ dtype: 'int32', shape: [] }, Int32Array.of(size - 1));
      y = c.op('Sub', [last, c.op(op, [c.op('Reverse', [c.plain(x)], { axes: [axis] })], { axis })]);
    }
    if (intAttr(node, c, 'keepdims', 1) === 1)
      y = c.op('Reshape', [y], { shape: shape.map((dim, i) => (i === axis ? 1 : dim)) });
    c.define(node.outputs[0]!, { plain: c.op('Cast', [y], { dtype: 'int64' }) });
  };

const cumulated =
  (op: 'Cumsum' | 'Cumprod'): Importer =>
  (node, c) => {
    const [x, axisName] = node.inputs as [string, string];
    const axis = axisOf(c.number(axisName, 'axis'), c.shapeOf(x).length, c);
    const [exclusive, reverse] = ['exclusive', 'reverse'].map((name) => intAttr(node, c, name, 0) === 1);
    c.define(node.outputs[0]!, {
      plain: c.op(op, [c.plain(x)], { axis, exclusive: exclusive!, reverse: reverse! }),
    });
  };

/** x divided by the sum of |x|, or by the root of the sum of x². */
const lpNormalization: Importer = (node, c) => {
  const [x] = node.inputs as [string];
  const axis = axisOf(intAttr(node, c, 'axis', -1), c.shapeOf(x).length, c);
  const p = intAttr(node, c, 'p', 2);
  if (p !== 1 && p !== 2) c.fail(`its attribute p is ${p}, expected 1 or 2`);
  const value = c.plain(x);
  const sum = c.op('Sum', [c.op(p === 1 ? 'Abs' : 'Square', [value])], { axes: [axis], keepDims: true });
  // Zeros stay zeros: the smallest normal number as minimum divisor affects no other quotient.
  const least = c.constant(Float32Array.of(2 ** -126), []);
  const norm = c.op('Maximum', [p === 1 ? sum : c.op('Sqrt', [sum]), least]);
  c.define(node.outputs[0]!, { plain: c.op('RealDiv', [value, norm]) });
};

export const reduceImporters: Readonly<Record<string, Importer>> = {
  ReduceMean: reduction('Mean'),
  ReduceSum: reduction('Sum'),
  ReduceMax: reduction('Max'),
  ReduceMin: reduction('Min'),
  ReduceProd: reduction('Prod'),
  ReduceL1: reduction('Sum', by('Abs')),
  ReduceL2: reduction('Sum', by('Square'), by('Sqrt')),
  ReduceSumSquare: reduction('Sum', by('Square')),
  ReduceLogSum: reduction('Sum', undefined, by('Log')),
  ReduceLogSumExp: reduction('LogSumExp'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  CumSum: cumulated('Cumsum'),
  CumProd: cumulated('Cumprod'),
  LpNormalization: lpNormalization,
};
