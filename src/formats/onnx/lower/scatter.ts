import { int, ints } from '../../../graph/ops/spec.ts';
import { batchTimes, symbolicSize, staticSize } from '../../../graph/shapes.ts';
import type { Dim, DType, Node, Shape } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { pick, sumByKey } from './sum-by-key.ts';

/** Ids outside 0 ... n-1 are ignored. */
export const segmentSum: Rule = (node, c) => {
  const [x, ids] = node.inputs as [string, string];
  const segments = int(node.attrs, 'numSegments');
  const idShape = c.shapeOf(ids);
  const count = rowsOf(node, c, idShape);
  const wanted = c.reshape(c.cast(c.plain(ids), 'int64'), idShape, [count]);
  const number = (value: number): string => c.scalar('int64', value);
  const atLeast0 = c.one('GreaterOrEqual', [wanted, number(0)]);
  const inside = c.one('And', [atLeast0, c.one('Less', [wanted, number(segments)])]);
  // Ids out of range share an extra key, whose sum is dropped.
  const keys = c.one('Where', [inside, wanted, number(segments)]);
  const { shape } = c.typeOf(x);
  const rows = { value: x, count, rest: shape.slice(idShape.length) };
  defineSums(node, c, rows, keys, (firsts) => {
    const kept = c.one('Compress', [firsts, pick(c, inside, firsts)], { axis: 0 });
    return { firsts: kept, tuples: c.one('Unsqueeze', [pick(c, keys, kept), c.ints([1])]) };
  });
};

/** Index tuples outside `shape` are an error of the provider when the model runs. */
export const scatterNd: Rule = (node, c) => {
  const [indices, updates] = node.inputs as [string, string];
  const from = c.shapeOf(indices);
  const depth = from.length === 1 ? 1 : (from.at(-1) as number);
  const count = rowsOf(node, c, from.length === 1 ? from : from.slice(0, -1));
  const tuples = c.reshape(c.cast(c.plain(indices), 'int64'), from, [count, depth]);
  const outer = ints(node.attrs, 'shape').slice(0, depth);
  // An extra position on every axis for indexes out of range.
  const strides = outer.map((_, axis) => staticSize(outer.slice(axis + 1).map((size) => size + 1)));
  const atLeast0 = c.one('GreaterOrEqual', [tuples, c.scalar('int64', 0)]);
  const inside = c.one('And', [atLeast0, c.one('Less', [tuples, c.ints(outer)])]);
  // Makes the provider refuse an index out of range, even a negative one, which ONNX would count from the end.
  const refused = c.one('Where', [inside, tuples, c.ints(outer)]);
  const keys = c.reduce('ReduceSum', c.one('Mul', [refused, c.ints(strides)]), [1], false);
  const rest = c.shapeOf(updates).slice(Math.max(1, from.length - 1));
  defineSums(node, c, { value: updates, count, rest }, keys, (firsts) => ({
    firsts,
    tuples: pick(c, refused, firsts),
  }));
};

/** Defines the node's value: zeros, and at `place` the sums of rows with equal keys. */
function defineSums(
  node: Node,
  c: Lowering,
  { value, count, rest }: { readonly value: string; readonly count: Dim; readonly rest: Shape },
  keys: string,
  place: (firsts: string) => { readonly firsts: string; readonly tuples: string },
): void {
  const out = node.outputs[0]!;
  const { dtype, shape } = c.typeOf(out);
  // ONNX does not add bools.
  const number: DType = dtype === 'bool' ? 'int32' : dtype;
  const zeros = c.filled(shape, number, 0);
  const as = (tensor: string): string => (dtype === 'bool' ? c.cast(tensor, 'bool') : tensor);
  if (count === 0) {
    c.define(out, as(zeros));
    return;
  }
  const operand = dtype === 'bool' ? c.cast(c.plain(value), 'int32') : c.plain(value);
  const rows = c.reshape(operand, c.shapeOf(value), [count, ...rest]);
  const sums = sumByKey(c, rows, keys, count);
  const { firsts, tuples } = place(sums.firsts);
  c.define(out, as(c.one('ScatterND', [zeros, tuples, pick(c, sums.rows, firsts)])));
}

/** Number of rows that index axes of this shape stand for. */
function rowsOf(node: Node, c: Lowering, shape: Shape): Dim {
  const { factor, power } = symbolicSize(shape);
  if (power > 1)
    return c.fail(
      node,
      `its indices [${shape.join(', ')}] grow with the square of the batch`,
      'Give it one index a row.',
    );
  return power === 0 ? factor : batchTimes(factor);
}
