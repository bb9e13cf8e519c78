import { sameShape, staticShape } from '../../../graph/shapes.ts';
import type { Node } from '../../../graph/types.ts';
import type { Lowering } from './context.ts';
import type { Layout } from './layout.ts';
import { isPlain, transposeData } from './layout.ts';

/** An addition that is the only use of a value: `bias`: the addend, per channel or a matrix; `out`: the sum. */
interface Bias {
  readonly bias: string;
  readonly out: string;
}

/** The bias that ONNX' Conv, ConvTranspose or Gemm can add itself, if a node's only consumer adds one. */
function biasOf(node: Node, c: Lowering): Bias | undefined {
  const value = node.outputs[0]!;
  const [add, ...others] = c.consumersOf(value);
  if (add?.op !== 'Add' || others.length > 0 || c.isResult(value)) return undefined;
  const bias = add.inputs[0] === value ? add.inputs[1]! : add.inputs[0]!;
  const channels = c.shapeOf(value).at(-1);
  const shape = c.shapeOf(bias);
  const [rows, columns] = c.shapeOf(value);
  const isProduct = c.options.addsMatrices && node.op === 'BatchMatMul';
  // A number for each row, or a matrix.
  const isMatrix = isProduct && (sameShape(shape, [rows!, 1]) || sameShape(shape, [rows!, columns!]));
  if (isMatrix) defineReshaped(bias, c);
  const known = c.isDefined(bias) || c.graph.constants.has(bias);
  // A stored row, as scikit-learn's exporter writes the bias of a matrix product.
  const isRow = shape.length === 2 && shape[0] === 1 && node.op === 'BatchMatMul' && c.graph.constants.has(bias);
  const isBias = (shape.length === 1 || isRow) && shape.at(-1) === channels;
  return known && (isBias || isMatrix) ? { bias, out: add.outputs[0]! } : undefined;
}

/** Lowers a change of shape that gives an addend now: a trace makes it where it is first read, behind the product. */
function defineReshaped(addend: string, c: Lowering): void {
  const sources = c.once('sources of reshaped values', () => {
    const reshapes = c.graph.nodes.filter(({ op }) => op === 'Reshape');
    return new Map(reshapes.map(({ inputs: [source], outputs: [result] }) => [result!, source!]));
  });
  const source = sources.get(addend);
  if (source === undefined || c.isDefined(addend) || !c.isDefined(source)) return;
  c.define(addend, c.reshape(c.plain(source), c.shapeOf(source), c.shapeOf(addend)));
}

/** Defines the result of `node` by `build`, including a following bias. */
export function defineBiased(
  c: Lowering,
  node: Node,
  layout: Layout | undefined,
  build: (bias: readonly string[]) => string,
): void {
  const fused = biasOf(node, c);
  c.define(fused?.out ?? node.outputs[0]!, build(fused === undefined ? [] : [vector(c, fused.bias)]), layout);
}

/** A bias without the axis of a stored row. */
function vector(c: Lowering, bias: string): string {
  const stored = c.shapeOf(bias).length === 2 ? c.graph.constants.get(bias) : undefined;
  const isRow = stored?.type.shape[0] === 1;
  return isRow
    ? c.once(`vector ${bias}`, () => c.initializer(stored.type.dtype, [stored.data.length], stored.data, bias))
    : c.plain(bias);
}

/**
 * Flattens [batch, height, width, channels] in its present layout, without a transpose, if only products with stored matrices follow: the rows of the
 * matrices are permuted instead.
 */
export function flattenAsItLies(node: Node, c: Lowering): boolean {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const [shape, to] = [c.shapeOf(x), c.shapeOf(out)];
  const { layout } = c.any(x);
  if (isPlain(layout) || layout[0] !== 0 || to.length !== 2 || to[0] !== shape[0]) return false;
  const consumers = c.consumersOf(out);
  const products = consumers.every(
    ({ op, inputs, attrs }) =>
      op === 'BatchMatMul' &&
      inputs[0] === out &&
      c.graph.constants.has(inputs[1]!) &&
      c.shapeOf(inputs[1]!).length === 2 &&
      attrs.transposeA === false &&
      attrs.transposeB === false,
  );
  if (!products || consumers.length === 0 || c.isResult(out)) return false;
  const rows = { sizes: staticShape(shape.slice(1), x), order: layout.slice(1).map((axis) => axis - 1) };
  c.flattened.set(out, rows);
  const lying = layout.map((axis) => shape[axis]!);
  c.define(out, c.reshape(c.as(x, layout), lying, to));
  return true;
}

/** The stored matrix `b` with its rows in the order of the flattened `a`. */
export function matchingRows(c: Lowering, a: string, b: string): string | undefined {
  const rows = c.flattened.get(a);
  if (rows === undefined) return undefined;
  const { type, data } = c.graph.constants.get(b)!;
  const [inner, columns] = type.shape as [number, number];
  const { sizes, order } = rows;
  const sorted = transposeData(data, [...sizes, columns], [...order, order.length]);
  return c.once(`rows ${b} ${order.join()} ${sizes.join()}`, () =>
    c.initializer(type.dtype, [inner, columns], sorted, b),
  );
}
