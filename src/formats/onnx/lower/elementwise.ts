import type { DType } from '../../../graph/types.ts';
import type { Lowering, Rule } from './context.ts';
import { atan2, floorDivide, modulo, realDivide } from './division.ts';
import type { Build } from './rules.ts';
import { elementwise, onFloat, onNumbers, same } from './rules.ts';

const float = (op: string): Rule => same(op, onFloat);
const floatFormula = (build: Build): Rule => elementwise(build, onFloat);
const number = (op: string): Rule => same(op, onNumbers);
const isFloat = (dtype: DType): boolean => dtype.startsWith('float');

/** Rounding; integers pass unchanged. */
const rounding = (op: string): Rule =>
  elementwise((c, [x], dtype) => (isFloat(dtype) ? c.one(op, [x!]) : c.one('Identity', [x!])));

/** A test of floats, with a constant result for other types. */
const floatTest = (op: string, others: boolean): Rule =>
  elementwise((c, [x], dtype) => {
    if (isFloat(dtype)) return c.one(op, [x!]);
    const equal = c.one('Equal', [x!, x!]);
    return others ? equal : c.one('Not', [equal]);
  });

/** x if `condition`, else y; ONNX Runtime's Where does not support bool. */
function where(c: Lowering, condition: string, x: string, y: string, dtype: DType): string {
  if (dtype !== 'bool') return c.one('Where', [condition, x, y]);
  return c.cast(c.one('Where', [condition, c.cast(x, 'uint8'), c.cast(y, 'uint8')]), 'bool');
}

function clip(c: Lowering, x: string, dtype: DType, min: number, max: number): string {
  const bound = (value: number): string => c.scalar(dtype, isFloat(dtype) ? value : clampInt(value));
  return c.one('Clip', [x, bound(min), bound(max)]);
}

function clampInt(value: number): number {
  return Math.max(-0x80000000, Math.min(0x7fffffff, Math.trunc(value)));
}

const times = (c: Lowering, dtype: DType, x: string, factor: number): string =>
  c.one('Mul', [x, c.scalar(dtype, factor)]);

/** Hyperbolic identity exp(x) - 1 = tanh(x/2) · (exp(x) + 1): no cancellation near 0. */
const expm1: Build = (c, [x], dtype) => {
  const half = c.one('Tanh', [times(c, dtype, x!, 0.5)]);
  return c.one('Mul', [half, c.one('Add', [c.one('Exp', [x!]), c.scalar(dtype, 1)])]);
};

/** log(1 + x) = 2 · atanh(x / (x + 2)) near 0, where 1 + x would lose the digits of x. */
const log1p: Build = (c, [x], dtype) => {
  const near = c.one('Atanh', [c.one('Div', [x!, c.one('Add', [x!, c.scalar(dtype, 2)])])]);
  const far = c.one('Log', [c.one('Add', [x!, c.scalar(dtype, 1)])]);
  const small = c.one('Less', [c.one('Abs', [x!]), c.scalar(dtype, 0.5)]);
  return c.one('Where', [small, times(c, dtype, near, 2), far]);
};

const gelu: Build = (c, [x], dtype, node) => {
  const one = c.scalar(dtype, 1);
  const inner = node.attrs.approximate === true ? tanhOfGelu(c, x!, dtype) : erfOfGelu(c, x!, dtype);
  return times(c, dtype, c.one('Mul', [x!, c.one('Add', [inner, one])]), 0.5);
};

function erfOfGelu(c: Lowering, x: string, dtype: DType): string {
  return c.one('Erf', [c.one('Div', [x, c.scalar(dtype, Math.SQRT2)])]);
}

/** Hendrycks & Gimpel 2016: tanh(√(2/π) · (x + 0.044715 · x³)). */
function tanhOfGelu(c: Lowering, x: string, dtype: DType): string {
  const cube = c.one('Mul', [c.one('Mul', [x, x]), x]);
  const sum = c.one('Add', [x, times(c, dtype, cube, 0.044715)]);
  return c.one('Tanh', [times(c, dtype, sum, Math.sqrt(2 / Math.PI))]);
}

/** Sign and Relu preserve NaN. */
const step: Build = (c, [x], dtype, node) => {
  const alpha = node.attrs.alpha as number;
  if (alpha === 0) return c.one('Relu', [c.one('Sign', [x!])]);
  const positive = c.one('Greater', [x!, c.scalar(dtype, 0)]);
  const result = c.one('Where', [positive, c.scalar(dtype, 1), c.scalar(dtype, alpha)]);
  if (!c.options.exactNaN || !isFloat(dtype)) return result;
  return c.one('Where', [c.one('IsNaN', [x!]), x!, result]);
};

/** In tfjs the sign of NaN is 0. */
const sign: Build = (c, [x], dtype) => {
  const result = c.one('Sign', [x!]);
  if (!c.options.exactNaN || !isFloat(dtype)) return result;
  return c.one('Where', [c.one('IsNaN', [x!]), c.scalar(dtype, 0), result]);
};

const squared: Build = (c, [a, b]) => {
  const difference = c.one('Sub', [a!, b!]);
  return c.one('Mul', [difference, difference]);
};

const prelu: Build = (c, [x, alpha], dtype, node) => {
  const [shape, slope] = node.inputs.map((name) => c.shapeOf(name));
  if (isFloat(dtype) && shape!.length >= slope!.length) return c.one('PRelu', [x!, alpha!]);
  const negative = c.one('Less', [x!, c.scalar(dtype, 0)]);
  return c.one('Where', [negative, c.one('Mul', [alpha!, x!]), x!]);
};

/** x in steps of `scale`, rounded half to even like QuantizeLinear. */
function steps(c: Lowering, x: string, scale: string): string {
  return c.once(`steps ${x} ${scale}`, () => c.one('Round', [c.one('Div', [x, scale])]));
}

/**
 * Quantized and clipped to int8's range. QuantizeLinear and DequantizeLinear would be no faster, and ONNX Runtime would take their pairs for an
 * integer model.
 */
function quantized(c: Lowering, x: string, scale: string, zeroPoint: string): string {
  const limit = (value: number): string =>
    c.once(`limit ${value} ${zeroPoint}`, () =>
      c.one('Squeeze', [c.one('Sub', [c.scalar('float32', value), zeroPoint])]),
    );
  return c.once(`clipped ${x} ${scale} ${zeroPoint}`, () =>
    c.one('Clip', [steps(c, x, scale), limit(-128), limit(127)]),
  );
}

const attrsOf = (op: string, names: readonly string[], floats = true): Rule =>
  elementwise(
    (c, [x], _, node) =>
      c.one(op, [x!], Object.fromEntries(names.map((name) => [name, { float: node.attrs[name] as number }]))),
    floats ? onFloat : {},
  );

const logic = (op: string): Rule =>
  elementwise((c, inputs, dtype) => c.one(op, dtype === 'bool' ? inputs : inputs.map((x) => c.cast(x, 'bool'))));

/** The negation of the opposite comparison would be true for NaN. */
const compare = (op: string): Rule => same(op, onNumbers);

/** An alias of the input, in every existing layout. */
export const identity: Rule = (node, c) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  if (c.graph.constants.has(x)) c.define(out, c.plain(x));
  else for (const layout of c.layoutsOf(x)) c.define(out, c.as(x, layout), layout);
};

export const elementwiseRules: Record<string, Rule> = {
  Identity: identity,
  Dropout: identity,
  Abs: number('Abs'),
  Acos: float('Acos'),
  Acosh: float('Acosh'),
  Asin: float('Asin'),
  Asinh: float('Asinh'),
  Atan: float('Atan'),
  Atanh: float('Atanh'),
  Ceil: rounding('Ceil'),
  ClipByValue: elementwise((c, [x], dtype, node) => {
    return clip(c, x!, dtype, node.attrs.clipValueMin as number, node.attrs.clipValueMax as number);
  }, onNumbers),
  Cos: float('Cos'),
  Cosh: float('Cosh'),
  Elu: float('Elu'),
  Erf: float('Erf'),
  Exp: float('Exp'),
  Expm1: floatFormula(expm1),
  Floor: rounding('Floor'),
  Gelu: floatFormula(gelu),
  HardSigmoid: attrsOf('HardSigmoid', ['alpha', 'beta']),
  HardSwish: float('HardSwish'),
  LeakyRelu: attrsOf('LeakyRelu', ['alpha']),
  Log: float('Log'),
  Log1p: floatFormula(log1p),
  LogicalNot: logic('Not'),
  Neg: number('Neg'),
  Reciprocal: float('Reciprocal'),
  Relu: number('Relu'),
  Relu6: elementwise((c, [x], dtype) => clip(c, x!, dtype, 0, 6), onNumbers),
  Round: rounding('Round'),
  Rsqrt: floatFormula((c, [x]) => c.one('Reciprocal', [c.one('Sqrt', [x!])])),
  Selu: float('Selu'),
  Sigmoid: float('Sigmoid'),
  Sign: elementwise(sign, onNumbers),
  Sin: float('Sin'),
  Sinh: float('Sinh'),
  Softplus: float('Softplus'),
  Sqrt: float('Sqrt'),
  Square: elementwise((c, [x]) => c.one('Mul', [x!, x!]), onNumbers),
  Step: elementwise(step, onNumbers),
  Swish: floatFormula((c, [x]) => c.one('Mul', [x!, c.one('Sigmoid', [x!])])),
  Tan: float('Tan'),
  Tanh: float('Tanh'),
  IsFinite: elementwise((c, [x], dtype) => {
    if (!isFloat(dtype)) return c.one('Equal', [x!, x!]);
    return c.one('Less', [c.one('Abs', [x!]), c.scalar(dtype, Infinity)]);
  }),
  IsInf: floatTest('IsInf', false),
  IsNan: floatTest('IsNaN', false),
  Cast: elementwise((c, [x], dtype, node) => {
    const to = node.attrs.dtype as DType;
    return to === dtype ? c.one('Identity', [x!]) : c.cast(x!, to);
  }),
  Add: number('Add'),
  Sub: number('Sub'),
  Multiply: number('Mul'),
  RealDiv: elementwise(realDivide),
  FloorDiv: elementwise(floorDivide),
  Maximum: number('Max'),
  Minimum: number('Min'),
  Mod: elementwise(modulo, onNumbers),
  Pow: number('Pow'),
  SquaredDifference: elementwise(squared, onNumbers),
  Atan2: floatFormula(atan2),
  BitwiseAnd: elementwise((c, inputs, dtype) => c.one(dtype === 'bool' ? 'And' : 'BitwiseAnd', inputs)),
  Prelu: elementwise(prelu, onNumbers),
  EluGrad: floatFormula((c, [dy, y], dtype) => {
    const factor = c.one('Add', [c.one('Min', [y!, c.scalar(dtype, 0)]), c.scalar(dtype, 1)]);
    return c.one('Mul', [dy!, factor]);
  }),
  ReluGrad: elementwise((c, [dy, x], dtype) => {
    return c.one('Where', [c.one('Greater', [x!, c.scalar(dtype, 0)]), dy!, c.scalar(dtype, 0)]);
  }, onNumbers),
  Relu6Grad: floatFormula((c, [dy, y], dtype) => {
    const least = c.one('Min', [y!, c.one('Sub', [c.scalar(dtype, 6), y!])]);
    return c.one('Where', [c.one('Greater', [least, c.scalar(dtype, 0)]), dy!, c.scalar(dtype, 0)]);
  }),
  FakeQuant: elementwise((c, [x, scale, zeroPoint]) => c.one('Mul', [quantized(c, x!, scale!, zeroPoint!), scale!])),
  FakeQuantGrad: elementwise((c, [dy, x, scale, zeroPoint], dtype) => {
    const inside = c.one('Equal', [quantized(c, x!, scale!, zeroPoint!), steps(c, x!, scale!)]);
    return c.one('Where', [inside, dy!, c.scalar(dtype, 0)]);
  }),
  Equal: same('Equal'),
  NotEqual: elementwise((c, inputs) => c.one('Not', [c.one('Equal', inputs)])),
  Greater: compare('Greater'),
  GreaterEqual: compare('GreaterOrEqual'),
  Less: compare('Less'),
  LessEqual: compare('LessOrEqual'),
  LogicalAnd: logic('And'),
  LogicalOr: logic('Or'),
  Select: elementwise((c, [condition, t, e], _, node) =>
    where(c, condition!, t!, e!, c.typeOf(node.outputs[0]!).dtype),
  ),
};
