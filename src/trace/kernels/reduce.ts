import type { DType } from '../../graph/types.ts';
import type { Value } from '../value.ts';
import { nodeOutputs, op } from '../value.ts';
import type { Attributes, Row, Table } from './table.ts';
import { axesOf, cast, toFloat } from './table.ts';

function reduceOver(name: string, x: Value, attrs: Attributes): Value {
  const axes = axesOf((attrs.axis ?? attrs.reductionIndices) as number[] | undefined, x);
  const keepDims = attrs.keepDims === true;
  return axes.length === 0 ? x : op(name, [x], { axes, keepDims });
}

/** Sums booleans as counts. */
const counting =
  (name: string): Row =>
  ({ x }, attrs) =>
    reduceOver(name, x!.type.dtype === 'bool' ? cast(x!, 'int32') : x!, attrs);

/** Compares booleans as 0 and 1. */
const extreme =
  (name: string): Row =>
  ({ x }, attrs) => {
    const dtype: DType = x!.type.dtype;
    return dtype === 'bool' ? cast(reduceOver(name, cast(x!, 'int32'), attrs), dtype) : reduceOver(name, x!, attrs);
  };

const logical =
  (name: string): Row =>
  ({ x }, attrs) =>
    reduceOver(name, cast(x!, 'bool'), attrs);

const argument =
  (name: string): Row =>
  ({ x }, { axis }) =>
    op(name, [x!.type.dtype === 'bool' ? cast(x!, 'int32') : x!], { axis: axesOf(axis as number, x!)[0]! });

const cumulative =
  (name: string): Row =>
  ({ x }, { axis, exclusive, reverse }) => {
    const [along] = axesOf((axis as number | undefined) ?? 0, x!) as [number];
    return op(name, [x!.type.dtype === 'bool' ? cast(x!, 'int32') : x!], {
      axis: along,
      exclusive: exclusive === true,
      reverse: reverse === true,
    });
  };

export const reduce: Table = {
  Sum: counting('Sum'),
  Prod: counting('Prod'),
  Mean: ({ x }, attrs) => reduceOver('Mean', toFloat(x!), attrs),
  Max: extreme('Max'),
  Min: extreme('Min'),
  All: logical('All'),
  Any: logical('Any'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Cumsum: cumulative('Cumsum'),
  Cumprod: cumulative('Cumprod'),
  Softmax: ({ logits }, { dim }) => op('Softmax', [toFloat(logits!)], { axis: axesOf(dim as number, logits!)[0]! }),
  LogSoftmax: ({ logits }, { axis }) =>
    op('LogSoftmax', [toFloat(logits!)], { axis: axesOf((axis as number | undefined) ?? -1, logits!)[0]! }),
  TopK: ({ x }, { k }) => nodeOutputs('TopK', [x!], { k: k as number }),
};
