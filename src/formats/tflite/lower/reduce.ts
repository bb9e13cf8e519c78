import type { BuiltinOperator } from '../schema/operators.ts';
import type { LoweringContext, TfliteLowering } from './context.ts';

const reduction =
  (op: BuiltinOperator): TfliteLowering =>
  (c) => {
    const axes = c.ints('axes');
    if (axes.length === 0) {
      c.same(c.input(0));
      return;
    }
    const options = { type$: 'ReducerOptions', keepDims: c.attr<boolean>('keepDims') };
    c.emit(op, [c.input(0), c.program.ints(axes, 'axes')], options);
  };

function reduced(
  c: LoweringContext,
  op: BuiltinOperator,
  x: string,
  axes: readonly number[],
  keepDims: boolean,
): string {
  const shape = keepDims
    ? c.shape(x).map((dim, i) => (axes.includes(i) ? 1 : dim))
    : c.shape(x).filter((_, i) => !axes.includes(i));
  const type = { dtype: c.type(x).dtype, shape };
  return c.temp(op, [x, c.program.ints(axes, 'axes')], type, { type$: 'ReducerOptions', keepDims });
}

/** max + log Σ exp(x - max) */
function logSumExp(c: LoweringContext): void {
  const [x, axes, keepDims] = [c.input(0), c.ints('axes'), c.attr<boolean>('keepDims')];
  if (axes.length === 0) {
    c.same(x);
    return;
  }
  const shifted = c.unary('EXP', c.binary('SUB', x, reduced(c, 'REDUCE_MAX', x, axes, true)));
  const logs = c.unary('LOG', reduced(c, 'SUM', shifted, axes, keepDims));
  c.emitBinary('ADD', logs, reduced(c, 'REDUCE_MAX', x, axes, keepDims));
}

const argument =
  (op: 'ARG_MAX' | 'ARG_MIN', options: string): TfliteLowering =>
  (c) =>
    c.emit(op, [c.input(0), c.program.int(c.attr('axis'), 'axis')], { type$: options, outputType: 2 });

/** TFLite normalizes over the last axis only. */
const softmax =
  (op: 'SOFTMAX' | 'LOG_SOFTMAX', options: Record<string, unknown> | undefined): TfliteLowering =>
  (c) => {
    const [x, axis] = [c.input(0), c.attr('axis')];
    const last = c.shape(x).length - 1;
    if (axis === last) {
      c.emit(op, [x], options);
      return;
    }
    const perm = c.program.ints(
      c.shape(x).map((_, i) => (i === axis ? last : i === last ? axis : i)),
      'perm',
    );
    const shape = c.shape(x).map((dim, i, all) => (i === axis ? all[last]! : i === last ? all[axis]! : dim));
    const moved = { dtype: c.type(x).dtype, shape };
    c.emit('TRANSPOSE', [c.temp(op, [c.temp('TRANSPOSE', [x, perm], moved)], moved, options), perm]);
  };

function cumsum(c: LoweringContext): void {
  const options = {
    type$: 'CumsumOptions',
    exclusive: c.attr<boolean>('exclusive'),
    reverse: c.attr<boolean>('reverse'),
  };
  c.emit('CUMSUM', [c.input(0), c.program.int(c.attr('axis'), 'axis')], options);
}

export const reduce: Readonly<Record<string, TfliteLowering>> = {
  Sum: reduction('SUM'),
  Mean: reduction('MEAN'),
  Max: reduction('REDUCE_MAX'),
  Min: reduction('REDUCE_MIN'),
  Prod: reduction('REDUCE_PROD'),
  All: reduction('REDUCE_ALL'),
  Any: reduction('REDUCE_ANY'),
  LogSumExp: logSumExp,
  ArgMax: argument('ARG_MAX', 'ArgMaxOptions'),
  ArgMin: argument('ARG_MIN', 'ArgMinOptions'),
  Cumsum: cumsum,
  TopK: (c) => c.emit('TOPK_V2', [c.input(0), c.program.int(c.attr('k'), 'k')]),
  Softmax: softmax('SOFTMAX', { type$: 'SoftmaxOptions', beta: 1 }),
  LogSoftmax: softmax('LOG_SOFTMAX', undefined),
};
