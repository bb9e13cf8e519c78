import { broadcast } from '../shapes.ts';
import type { AttrKind, OpSpec } from './spec.ts';
import { dtypeAttr, expect, type } from './spec.ts';

/** Same shape and dtype out as in. */
const unary = (attrs: Record<string, AttrKind> = {}): OpSpec => ({ inputs: ['x'], attrs, infer: ([x]) => [x!] });

const test: OpSpec = { inputs: ['x'], attrs: {}, infer: ([x]) => [type('bool', x!.shape)] };

/** Broadcast; both operands have one dtype, the result has it too. */
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

/** The last two inputs are single float32 numbers; the result is as the first. */
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
});

export const elementwise = {
  Identity: unary(),
  Abs: unary(),
  Acos: unary(),
  Acosh: unary(),
  Asin: unary(),
  Asinh: unary(),
  Atan: unary(),
  Atanh: unary(),
  Ceil: unary(),
  ClipByValue: unary({ clipValueMin: 'float', clipValueMax: 'float' }),
  Cos: unary(),
  Cosh: unary(),
  /** Drops values in a training call alone: what comes in goes out of a graph that is run. */
  Dropout: unary({ rate: 'float' }),
  Elu: unary(),
  Erf: unary(),
  Exp: unary(),
  Expm1: unary(),
  Floor: unary(),
  Gelu: unary({ approximate: 'bool' }),
  HardSigmoid: unary({ alpha: 'float', beta: 'float' }),
  HardSwish: unary(),
  LeakyRelu: unary({ alpha: 'float' }),
  Log: unary(),
  Log1p: unary(),
  LogicalNot: unary(),
  Neg: unary(),
  Reciprocal: unary(),
  Relu: unary(),
  Relu6: unary(),
  Round: unary(),
  Rsqrt: unary(),
  Selu: unary(),
  Sigmoid: unary(),
  Sign: unary(),
  Sin: unary(),
  Sinh: unary(),
  Softplus: unary(),
  Sqrt: unary(),
  Square: unary(),
  Step: unary({ alpha: 'float' }),
  Swish: unary(),
  Tan: unary(),
  Tanh: unary(),
  IsFinite: test,
  IsInf: test,
  IsNan: test,
  Cast: { inputs: ['x'], attrs: { dtype: 'dtype' }, infer: ([x], attrs) => [type(dtypeAttr(attrs), x!.shape)] },
  Add: arithmetic,
  Sub: arithmetic,
  Multiply: arithmetic,
  RealDiv: arithmetic,
  FloorDiv: arithmetic,
  Maximum: arithmetic,
  Minimum: arithmetic,
  Mod: arithmetic,
  Pow: arithmetic,
  SquaredDifference: arithmetic,
  Atan2: arithmetic,
  BitwiseAnd: arithmetic,
  /** x where x >= 0, else alpha · x; alpha broadcasts against x. */
  Prelu: arithmetic,
  /** Gradient of elu from its output y: dy where y >= 0, else dy · (y + 1). */
  EluGrad: arithmetic,
  /** Gradient of relu from its output or input: dy where x > 0, else 0. */
  ReluGrad: arithmetic,
  /** x as int8 with one scale would hold it: scale · (q - zeroPoint), q = clip(round(x / scale) + zeroPoint, -128, 127). */
  FakeQuant: quantizer(['x', 'scale', 'zeroPoint']),
  /** Its straight-through gradient: dy where q was not clipped, else 0. */
  FakeQuantGrad: quantizer(['dy', 'x', 'scale', 'zeroPoint']),
  Equal: comparison,
  NotEqual: comparison,
  Greater: comparison,
  GreaterEqual: comparison,
  Less: comparison,
  LessEqual: comparison,
  LogicalAnd: comparison,
  LogicalOr: comparison,
  /** condition ? t : e, all three broadcast. */
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
