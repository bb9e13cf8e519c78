import { plainOf } from '../arrangement.ts';
import { floatAttr, intAttr } from '../attrs.ts';
import type { Importer } from '../context.ts';

const gemm: Importer = (node, c) => {
  const [a, b, bias = ''] = node.inputs as [string, string, string?];
  const [alpha, beta] = [floatAttr(node, c, 'alpha', 1), floatAttr(node, c, 'beta', 1)];
  // Before operator set 7: whether the bias may be broadcast.
  if (c.opset < 7) intAttr(node, c, 'broadcast', 0);
  const flags = { transposeA: intAttr(node, c, 'transA', 0) !== 0, transposeB: intAttr(node, c, 'transB', 0) !== 0 };
  if (c.shapeOf(a).length !== 2 || c.shapeOf(b).length !== 2) c.fail('a product of something else than two matrices');
  let y = c.op('BatchMatMul', [c.plain(a), c.plain(b)], flags);
  if (alpha !== 1) y = c.op('Multiply', [y, c.constant(Float32Array.of(alpha), [])]);
  if (bias !== '') {
    const columns = c.builder.typeOf(y).shape[1]!;
    const shape = c.shapeOf(bias);
    const isFloat = c.stored(bias)?.type.dtype === 'float32';
    // A value for each column, as a list or as a matrix of one row.
    const isRow = shape.at(-1) === columns && (shape.length === 1 || (shape.length === 2 && shape[0] === 1));
    let added =
      isRow && isFloat ? c.operand(bias, { ...plainOf(shape as number[]), shape: [Number(columns)] }) : c.plain(bias);
    if (beta !== 1) added = c.op('Multiply', [added, c.constant(Float32Array.of(beta), [])]);
    y = c.op('Add', [y, added]);
  }
  c.define(node.outputs[0]!, { plain: y });
};

const matMul: Importer = (node, c) => {
  const [a, b] = node.inputs as [string, string];
  const [left, right] = [c.shapeOf(a), c.shapeOf(b)];
  // A vector is a row as left factor, a column as right factor.
  const rows = left.length === 1 ? c.op('Reshape', [c.plain(a)], { shape: [1, ...left] }) : c.plain(a);
  const columns = right.length === 1 ? c.op('Reshape', [c.plain(b)], { shape: [...right, 1] }) : c.plain(b);
  const y = c.op('BatchMatMul', [rows, columns], { transposeA: false, transposeB: false });
  const { shape } = c.builder.typeOf(y);
  const kept = [...shape.slice(0, -2), ...(left.length === 1 ? [] : [shape.at(-2)!])];
  const isMatrices = left.length > 1 && right.length > 1;
  const to = right.length === 1 ? kept : [...kept, shape.at(-1)!];
  c.define(node.outputs[0]!, { plain: isMatrices ? y : c.op('Reshape', [y], { shape: to }) });
};

export const linearImporters: Readonly<Record<string, Importer>> = {
  Gemm: gemm,
  MatMul: matMul,
};
