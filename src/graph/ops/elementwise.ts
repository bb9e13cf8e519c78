import { broadcast } from '../shapes.ts';
import type { AttrKind, OpSpec } from './spec.ts';
import { dtypeAttr, expect, type } from './spec.ts';

/** Shape and dtype are the operand's. */
const unary = (attrs: Record<string, AttrKind> = {}): OpSpec => ({ inputs: ['x'], attrs, infer: ([x]) => [x!] });

/** 0 for an operand of 0. */
const throughZero = (attrs: Record<string, AttrKind> = {}): OpSpec => ({ ...unary(attrs), zero: 'first' });

const test: OpSpec = { inputs: ['x'], attrs: {}, infer: ([x]) => [type('bool', x!.shape)] };

/** Broadcasts operands of the same dtype, which is also the result's. */
const arithmetic: OpSpec = {
  inputs: ['a', 'b'],
  attrs: {},
  infer: ([a, b]) => {
    expect(a!.dtype === b!.dtype, `operands differ in dtype: ${a!.dtype} and ${b!.dtype}`);
    return [type(a!.dtype, broadcast(a!.shape, b!.shape))];
  },
};

const comparison: OpSpec = {
  ...arithmetic,
  infer: (inputs, attrs) => arithmetic.infer(inputs, attrs).map(({ shape }) => type('bool', shape)),
};

/** The last two inputs are float32 scalars; the result has the first's type. */
const quantizer = (inputs: readonly string[]): OpSpec => ({
  inputs,
  attrs: {},
  infer: (types) => {
    for (const { dtype, shape } of types.slice(-2))
      expect(
        dtype === 'float32' && shape.every((dim) => dim === 1),
        'scale and zero point must be single float32 numbers',
      );
    return [types[0]!];
  },
  zero: 'first',
});

export const elementwise = {
  Identity: { ...throughZero(), handsOn: 'kept' },
  Abs: throughZero(),
  Acos: unary(),
  Acosh: unary(),
  Asin: throughZero(),
  Asinh: throughZero(),
  Atan: throughZero(),
  Atanh: throughZero(),
  Ceil: throughZero(),
  ClipByValue: unary({ clipValueMin: 'float', clipValueMax: 'float' }),
  Cos: unary(),
  Cosh: unary(),
  /** Drops values only in training: in a graph that is run it passes its input on. */
  Dropout: { ...throughZero({ rate: 'float' }), handsOn: 'kept' },
  Elu: throughZero(),
  Erf: throughZero(),
  Exp: unary(),
  Expm1: throughZero(),
  Floor: throughZero(),
  Gelu: throughZero({ approximate: 'bool' }),
  HardSigmoid: unary({ alpha: 'float', beta: 'float' }),
  HardSwish: throughZero(),
  LeakyRelu: throughZero({ alpha: 'float' }),
  Log: unary(),
  Log1p: throughZero(),
  LogicalNot: unary(),
  Neg: throughZero(),
  Reciprocal: unary(),
  Relu: throughZero(),
  Relu6: throughZero(),
  Round: throughZero(),
  Rsqrt: unary(),
  Selu: throughZero(),
  Sigmoid: unary(),
  Sign: throughZero(),
  Sin: throughZero(),
  Sinh: throughZero(),
  Softplus: unary(),
  Sqrt: throughZero(),
  Square: throughZero(),
  /** 0 at 0 if `alpha` is 0. */
  Step: unary({ alpha: 'float' }),
  Swish: throughZero(),
  Tan: throughZero(),
  Tanh: throughZero(),
  IsFinite: test,
  IsInf: test,
  IsNan: test,
  Cast: {
    inputs: ['x'],
    attrs: { dtype: 'dtype' },
    infer: ([x], attrs) => [type(dtypeAttr(attrs), x!.shape)],
    zero: 'first',
  },
  Add: { ...arithmetic, zero: 'all' },
  Sub: { ...arithmetic, zero: 'all' },
  Multiply: { ...arithmetic, zero: 'any' },
  RealDiv: { ...arithmetic, zero: 'first' },
  FloorDiv: { ...arithmetic, zero: 'first' },
  Maximum: { ...arithmetic, zero: 'all' },
  Minimum: { ...arithmetic, zero: 'all' },
  Mod: { ...arithmetic, zero: 'first' },
  Pow: arithmetic,
  SquaredDifference: { ...arithmetic, zero: 'all' },
  Atan2: { ...arithmetic, zero: 'all' },
  BitwiseAnd: { ...arithmetic, zero: 'any' },
  /** x where x >= 0, else alpha · x; alpha broadcasts against x. */
  Prelu: { ...arithmetic, zero: 'first' },
  /** Gradient of elu from its output y: dy where y >= 0, else dy · (y + 1). */
  EluGrad: { ...arithmetic, zero: 'first' },
  /** Gradient of relu from its output or input: dy where x > 0, else 0. */
  ReluGrad: { ...arithmetic, zero: 'any' },
  /** Gradient of relu6 from its output y: dy where 0 < y < 6, else 0. */
  Relu6Grad: { ...arithmetic, zero: 'any' },
  /** x as represented in int8 with one scale: scale · (q - zeroPoint), q = clip(round(x / scale) + zeroPoint, -128, 127). */
  FakeQuant: quantizer(['x', 'scale', 'zeroPoint']),
  /** Straight-through gradient of FakeQuant: dy if q was not clipped, else 0. */
  FakeQuantGrad: quantizer(['dy', 'x', 'scale', 'zeroPoint']),
  Equal: comparison,
  NotEqual: comparison,
  Greater: comparison,
  GreaterEqual: comparison,
  Less: comparison,
  LessEqual: comparison,
  LogicalAnd: comparison,
  LogicalOr: comparison,
  /** condition ? t : e, with all three broadcast. */
  Select: {
    inputs: ['condition', 't', 'e'],
    attrs: {},
    infer: ([condition, t, e]) => {
      expect(condition!.dtype === 'bool', `the condition must be bool, received ${condition!.dtype}`);
      expect(t!.dtype === e!.dtype, `branches differ in dtype: ${t!.dtype} and ${e!.dtype}`);
      return [type(t!.dtype, broadcast(condition!.shape, broadcast(t!.shape, e!.shape)))];
    },
  },
} satisfies Record<string, OpSpec>;
