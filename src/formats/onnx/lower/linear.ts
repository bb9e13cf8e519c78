import { flag } from '../../../graph/ops/spec.ts';
import type { Dim, Node } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { identity } from './elementwise.ts';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput } from './conv.ts';
import { depthwise, depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise.ts';
import { defineBiased, matchingRows } from './fuse.ts';
import type { Layout } from './layout.ts';
import { plainLayout } from './layout.ts';
import { avgPoolGrad, maxPoolGrad } from './pool-grad.ts';
import { avgPool, maxPool } from './pool.ts';
import { floatsOnly } from './rules.ts';

/** The operand for a matrix product; ONNX Runtime fuses a transpose. */
function matrix(c: Lowering, value: string, transposed: boolean): string {
  const rank = c.shapeOf(value).length;
  return c.as(value, transposed ? transposedLayout(rank) : plainLayout(rank));
}

function transposedLayout(rank: number): Layout {
  return [...plainLayout(rank - 2), rank - 1, rank - 2];
}

function lies(c: Lowering, value: string, layout: readonly number[]): boolean {
  return c.graph.constants.has(value) || c.layoutsOf(value).some((other) => other.join() === layout.join());
}

/** Reads of a matrix from which on it is transposed once, instead of in each product: the weights of a recurrent layer. */
const OFTEN = 4;

/** True if Gemm should read a rank-2 operand transposed, because it exists in that layout. */
function gemmOperand(c: Lowering, value: string, transposed: boolean): { tensor: string; flag: number } {
  if (transposed && c.consumersOf(value).length >= OFTEN) return { tensor: c.as(value, [1, 0]), flag: 0 };
  const swapped = lies(c, value, [1, 0]) && !lies(c, value, [0, 1]);
  const tensor = c.as(value, swapped ? [1, 0] : [0, 1]);
  return { tensor, flag: swapped === transposed ? 0 : 1 };
}

/**
 * In training steps AᵀB of batches is the transpose of BᵀA where A is the larger: ONNX Runtime's product reads a transposed left operand at half the rate, and the
 * transposes of B and of the result join those of attention's heads.
 */
const matMul: Rule = (node: Node, c: Lowering) => {
  const [a, b] = node.inputs as [string, string];
  const [transposeA, transposeB] = [flag(node.attrs, 'transposeA'), flag(node.attrs, 'transposeB')];
  const out = node.outputs[0]!;
  const { dtype } = c.typeOf(out);
  const ranks = [c.shapeOf(a).length, c.shapeOf(b).length];
  if (dtype.startsWith('float') && ranks[0] === 2 && ranks[1] === 2) {
    const left = gemmOperand(c, a, transposeA);
    const sorted = matchingRows(c, a, b);
    const right = sorted === undefined ? gemmOperand(c, b, transposeB) : { tensor: sorted, flag: 0 };
    const attrs = { transA: left.flag, transB: right.flag };
    defineBiased(c, node, undefined, (bias) => c.one('Gemm', [left.tensor, right.tensor, ...bias], attrs));
    return;
  }
  const [rows, columns] = c.shapeOf(out).slice(-2) as [Dim, Dim];
  if (c.options.addsMatrices && transposeA && (transposeB || rows > columns)) {
    const product = c.one('MatMul', [matrix(c, b, !transposeB), matrix(c, a, false)]);
    c.define(out, product, transposedLayout(c.shapeOf(out).length));
    return;
  }
  c.define(out, c.one('MatMul', [matrix(c, a, transposeA), matrix(c, b, transposeB)]));
};

export const linearRules: Record<string, Rule> = {
  BatchMatMul: matMul,
  Lstm: identity,
  Conv2D: floatsOnly(conv2d),
  Conv2DBackpropInput: floatsOnly(conv2dBackpropInput),
  Conv2DBackpropFilter: floatsOnly(conv2dBackpropFilter),
  DepthwiseConv2dNative: floatsOnly(depthwise),
  DepthwiseConv2dNativeBackpropInput: floatsOnly(depthwiseBackpropInput),
  DepthwiseConv2dNativeBackpropFilter: floatsOnly(depthwiseBackpropFilter),
  MaxPool: maxPool,
  AvgPool: avgPool,
  MaxPoolGrad: floatsOnly(maxPoolGrad),
  AvgPoolGrad: floatsOnly(avgPoolGrad),
};
