import type { Value } from '../value.ts';
import { op } from '../value.ts';
import type { Attributes, Table } from './table.ts';
import { cast, rank, reshape, scalar, toFloat } from './table.ts';

/** Multiplies; batches of one are multiplied as matrices. */
export function matMul(a: Value, b: Value, transposeA = false, transposeB = false): Value {
  const product = batched(a, b, (x, y) => op('BatchMatMul', [toFloat(x), toFloat(y)], { transposeA, transposeB }));
  return cast(product, a.type.dtype === 'float32' || b.type.dtype === 'float32' ? 'float32' : 'int32');
}

function batched(a: Value, b: Value, multiply: (a: Value, b: Value) => Value): Value {
  const lead = Math.max(rank(a), rank(b)) - 2;
  if (lead === 0 || ![a, b].every(({ type }) => type.shape.slice(0, -2).every((dim) => dim === 1)))
    return multiply(a, b);
  const product = multiply(...([a, b].map((x) => reshape(x, x.type.shape.slice(-2))) as [Value, Value]));
  return reshape(product, [...Array.from({ length: lead }, () => 1), ...product.type.shape]);
}

/** Applies the activation of tfjs' fused kernels. */
export function activate(x: Value, attrs: Attributes, preluWeights?: Value): Value {
  const activation = (attrs.activation as string | null | undefined) ?? 'linear';
  switch (activation) {
    case 'linear':
      return x;
    case 'relu':
      return op('Relu', [x]);
    case 'relu6':
      return op('Relu6', [x]);
    case 'elu':
      return op('Elu', [x]);
    case 'sigmoid':
      return op('Sigmoid', [x]);
    case 'prelu':
      return op('Prelu', [x, preluWeights ?? scalar(0)]);
    case 'leakyrelu':
      return op('LeakyRelu', [x], { alpha: (attrs.leakyreluAlpha as number | undefined) ?? 0.2 });
    default:
      throw new Error(`there is no fused activation ${activation}`);
  }
}

export const matmul: Table = {
  BatchMatMul: ({ a, b }, { transposeA, transposeB }) => matMul(a!, b!, transposeA === true, transposeB === true),
  _FusedMatMul: ({ a, b, bias, preluActivationWeights }, attrs) => {
    return batched(a!, b!, (x, y) => {
      const product = matMul(x, y, attrs.transposeA === true, attrs.transposeB === true);
      return activate(bias === undefined ? product : op('Add', [product, bias]), attrs, preluActivationWeights);
    });
  },
};
