import { int } from '../../../graph/ops/spec.ts';
import type { Shape } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { plainLayout } from './layout.ts';

/** int64 indexes with an added last axis of size 1, as ONNX' N-d ops require. */
function asTuples(c: Lowering, indices: string, shape: Shape): string {
  return c.reshape(c.cast(indices, 'int64'), shape, [...shape, 1]);
}

export const gather: Rule = (node, c) => {
  const [x, indices] = node.inputs as [string, string];
  const axis = int(node.attrs, 'axis');
  const batchDims = int(node.attrs, 'batchDims');
  const shape = c.shapeOf(x);
  if (batchDims === 0) {
    c.define(node.outputs[0]!, c.one('Gather', [c.plain(x), c.plain(indices)], { axis }));
    return;
  }
  // GatherND gathers along the axis after the batch axes: move the axis there, and the gathered axes back.
  const rank = shape.length;
  const middle = plainLayout(rank).slice(batchDims, axis);
  const front = plainLayout(rank).slice(0, batchDims);
  const moved = [...front, axis, ...middle, ...plainLayout(rank).slice(axis + 1)];
  const tuples = asTuples(c, c.plain(indices), c.shapeOf(indices));
  const result = c.one('GatherND', [c.as(x, moved), tuples], { batch_dims: batchDims });
  const gathered = c.shapeOf(indices).length - batchDims;
  const outRank = c.shapeOf(node.outputs[0]!).length;
  const layout = [
    ...front,
    ...Array.from({ length: gathered }, (_, i) => batchDims + middle.length + i),
    ...middle.map((_, i) => batchDims + i),
    ...plainLayout(outRank).slice(batchDims + middle.length + gathered),
  ];
  c.define(node.outputs[0]!, result, layout);
};

export const gatherNd: Rule = (node, c) => {
  const [params, indices] = node.inputs as [string, string];
  c.define(node.outputs[0]!, c.one('GatherND', [c.plain(params), c.cast(c.plain(indices), 'int64')]));
};

/** One-hot rows by comparison with 0 ... depth-1: an index out of range gives a row of `offValue`, whereas ONNX' OneHot would count from the end. */
export const oneHot: Rule = (node, c) => {
  const [indices, out] = [node.inputs[0]!, node.outputs[0]!];
  const depth = int(node.attrs, 'depth');
  const { dtype } = c.typeOf(out);
  const positions = c.initializer(
    'int32',
    [depth],
    Int32Array.from({ length: depth }, (_, i) => i),
  );
  const from = c.shapeOf(indices);
  const column = c.reshape(c.plain(indices), from, [...from, 1]);
  const operand = c.typeOf(indices).dtype === 'int32' ? column : c.cast(column, 'int32');
  const hit = c.one('Equal', [operand, positions]);
  const [on, off] = [node.attrs.onValue as number, node.attrs.offValue as number];
  if (on === 1 && off === 0) {
    c.define(out, dtype === 'bool' ? hit : c.cast(hit, dtype));
    return;
  }
  const number = dtype === 'bool' ? 'int32' : dtype;
  const result = c.one('Where', [hit, c.scalar(number, on), c.scalar(number, off)]);
  c.define(out, dtype === 'bool' ? c.cast(result, 'bool') : result);
};
