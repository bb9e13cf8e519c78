import { plainOf } from './arrangement.ts';
import { floatAttr, intAttr, intsAttr } from './attrs.ts';
import type { Import, Importer } from './context.ts';
import { spatialOf, windowOf } from './window.ts';

const conv: Importer = (node, c) => {
  const [x, weights, bias = ''] = node.inputs as [string, string, string?];
  const { shape } = c.weights(weights, 'filter');
  const size = spatialOf(c, x);
  if (shape.length !== 4) c.fail(`expected a filter [out, in, h, w], received [${shape.join(', ')}]`);
  const [out, inner, height, width] = shape as [number, number, number, number];
  const kernel = intsAttr(node, c, 'kernel_shape') ?? [height, width];
  if (kernel.join() !== `${height},${width}`)
    c.fail(`its attribute kernel_shape is [${kernel.join(', ')}], and its filter is [${shape.join(', ')}]`);
  const window = windowOf(node, c, kernel, size);
  const channels = c.shapeOf(x)[1] as number;
  const group = intAttr(node, c, 'group', 1);
  let result: string;
  if (group === 1) {
    const filter = c.operand(weights, { from: shape, perm: [2, 3, 1, 0], shape: [height, width, inner, out] });
    result = c.op('Conv2D', [c.nhwc(x), filter], { ...window });
  } else if (group === channels && inner === 1) {
    const lying = [channels, out / channels, height, width];
    const turned = [height, width, channels, out / channels];
    const filter = c.operand(weights, { from: lying, perm: [2, 3, 0, 1], shape: turned });
    result = c.op('DepthwiseConv2dNative', [c.nhwc(x), filter], { ...window });
  } else return c.fail(`${group} groups of ${channels} channels; expected 1 group, or one for each channel`);
  c.defineNhwc(node.outputs[0]!, bias === '' ? result : c.op('Add', [result, rowOf(c, bias, 'bias')]));
};

/** A stored tensor of one value for each channel. */
export function rowOf(c: Import, name: string, what: string): string {
  const { shape } = c.weights(name, what);
  if (shape.length !== 1) c.fail(`its ${what} has the shape [${shape.join(', ')}], expected one axis`);
  return c.operand(name, plainOf(shape));
}

const gemm: Importer = (node, c) => {
  const [a, b, bias = ''] = node.inputs as [string, string, string?];
  const [alpha, beta] = [floatAttr(node, c, 'alpha', 1), floatAttr(node, c, 'beta', 1)];
  // Before operator set 7: that the bias may be broadcast.
  if (c.opset < 7) intAttr(node, c, 'broadcast', 0);
  const flags = { transposeA: intAttr(node, c, 'transA', 0) !== 0, transposeB: intAttr(node, c, 'transB', 0) !== 0 };
  if (c.shapeOf(a).length !== 2 || c.shapeOf(b).length !== 2) c.fail('a product of something else than two matrices');
  let y = c.op('BatchMatMul', [c.plain(a), c.plain(b)], flags);
  if (alpha !== 1) y = c.op('Multiply', [y, c.constant(Float32Array.of(alpha), [])]);
  if (bias !== '') {
    const columns = c.builder.typeOf(y).shape[1]!;
    const shape = c.shapeOf(bias);
    const isFloat = c.stored(bias)?.type.dtype === 'float32';
    // One value for each column, whether as a list or as a matrix of one row.
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
  if (c.shapeOf(a).length < 2 || c.shapeOf(b).length < 2) c.fail('a product with a vector; expected matrices');
  const y = c.op('BatchMatMul', [c.plain(a), c.plain(b)], { transposeA: false, transposeB: false });
  c.define(node.outputs[0]!, { plain: y });
};

export const linearImporters: Readonly<Record<string, Importer>> = {
  Conv: conv,
  Gemm: gemm,
  MatMul: matMul,
};
