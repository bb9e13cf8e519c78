import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '../../graph/types.ts';
import type { Value } from '../value.ts';
import { op } from '../value.ts';
import type { Row, Table } from './table.ts';
import { cast, toFloat } from './table.ts';

/** Defined on real numbers only: integers are converted. */
const real =
  (name: string): Row =>
  ({ x }) =>
    op(name, [toFloat(x!)]);

/** Also defined on integers. */
const numeric =
  (name: string): Row =>
  ({ x }) =>
    x!.type.dtype === 'bool' ? op(name, [cast(x!, 'int32')]) : op(name, [x!]);

/** The identity on integers. */
const rounding =
  (name: string): Row =>
  ({ x }) =>
    x!.type.dtype === 'float32' ? op(name, [x!]) : x!;

function common(a: Value, b: Value): DType {
  return a.type.dtype === b.type.dtype
    ? a.type.dtype
    : (tf.upcastType(a.type.dtype as tf.DataType, b.type.dtype as tf.DataType) as DType);
}

/** Converts both operands to one dtype; booleans count as 0 and 1. */
export function binary(name: string, a: Value, b: Value): Value {
  const dtype = common(a, b);
  if (dtype === 'bool') return cast(op(name, [cast(a, 'int32'), cast(b, 'int32')]), 'bool');
  return op(name, [cast(a, dtype), cast(b, dtype)]);
}

const arithmetic =
  (name: string): Row =>
  ({ a, b }) =>
    binary(name, a!, b!);

const comparison =
  (name: string): Row =>
  ({ a, b }) => {
    const dtype = common(a!, b!) === 'bool' ? 'int32' : common(a!, b!);
    return op(name, [cast(a!, dtype), cast(b!, dtype)]);
  };

const logical =
  (name: string): Row =>
  ({ a, b }) =>
    op(name, [cast(a!, 'bool'), cast(b!, 'bool')]);

export const elementwise: Table = {
  Abs: numeric('Abs'),
  Acos: real('Acos'),
  Acosh: real('Acosh'),
  Asin: real('Asin'),
  Asinh: real('Asinh'),
  Atan: real('Atan'),
  Atanh: real('Atanh'),
  Ceil: rounding('Ceil'),
  Cos: real('Cos'),
  Cosh: real('Cosh'),
  Elu: real('Elu'),
  Erf: real('Erf'),
  Exp: real('Exp'),
  Expm1: real('Expm1'),
  Floor: rounding('Floor'),
  IsFinite: real('IsFinite'),
  IsInf: real('IsInf'),
  IsNan: real('IsNan'),
  Log: real('Log'),
  Log1p: real('Log1p'),
  Neg: numeric('Neg'),
  Reciprocal: real('Reciprocal'),
  Relu: numeric('Relu'),
  Relu6: ({ x }) => cast(op('Relu6', [toFloat(x!)]), x!.type.dtype),
  Round: rounding('Round'),
  Rsqrt: real('Rsqrt'),
  Selu: real('Selu'),
  Sigmoid: real('Sigmoid'),
  Sign: numeric('Sign'),
  Sin: real('Sin'),
  Sinh: real('Sinh'),
  Softplus: real('Softplus'),
  Sqrt: real('Sqrt'),
  Square: numeric('Square'),
  Tan: real('Tan'),
  Tanh: real('Tanh'),
  LogicalNot: ({ x }) => op('LogicalNot', [cast(x!, 'bool')]),
  LeakyRelu: ({ x }, { alpha }) => op('LeakyRelu', [toFloat(x!)], { alpha: alpha as number }),
  Step: ({ x }, { alpha }) =>
    cast(op('Step', [toFloat(x!)], { alpha: (alpha as number | undefined) ?? 0 }), x!.type.dtype),
  ClipByValue: ({ x }, { clipValueMin, clipValueMax }) => {
    // A layer's ReLU with a maximum of 6 is a ReLU and a clip.
    const positive = x!.node?.op === 'Relu' ? x!.node.inputs[0]! : undefined;
    if (positive !== undefined && clipValueMin === 0 && clipValueMax === 6) return op('Relu6', [positive]);
    return op('ClipByValue', [x!], { clipValueMin: clipValueMin as number, clipValueMax: clipValueMax as number });
  },
  Prelu: ({ x, alpha }) => op('Prelu', [toFloat(x!), toFloat(alpha!)]),
  EluGrad: ({ dy, y }) => op('EluGrad', [dy!, y!]),
  /** Our own kernels: see gradients.ts. */
  ReluGrad: ({ dy, x }) => op('ReluGrad', [dy!, x!]),
  Relu6Grad: ({ dy, y }) => op('Relu6Grad', [dy!, y!]),
  FakeQuant: ({ x, scale, zeroPoint }) => op('FakeQuant', [x!, scale!, zeroPoint!]),
  FakeQuantGrad: ({ dy, x, scale, zeroPoint }) => op('FakeQuantGrad', [dy!, x!, scale!, zeroPoint!]),
  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Multiply: arithmetic('Multiply'),
  RealDiv: arithmetic('RealDiv'),
  FloorDiv: ({ a, b }) => cast(binary('FloorDiv', a!, b!), 'int32'),
  Maximum: arithmetic('Maximum'),
  Minimum: arithmetic('Minimum'),
  Mod: arithmetic('Mod'),
  Pow: arithmetic('Pow'),
  SquaredDifference: arithmetic('SquaredDifference'),
  Atan2: arithmetic('Atan2'),
  BitwiseAnd: arithmetic('BitwiseAnd'),
  Equal: comparison('Equal'),
  NotEqual: comparison('NotEqual'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessEqual'),
  LogicalAnd: logical('LogicalAnd'),
  LogicalOr: logical('LogicalOr'),
  LogicalXor: logical('NotEqual'),
  AddN: (inputs) => Object.values(inputs).reduce((sum, term) => binary('Add', sum, term)),
};
