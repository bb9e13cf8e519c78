import type { BuiltinOperator } from '../schema/operators.ts';
import { tensorType } from '../schema/tensor-types.ts';
import type { LoweringContext, TfliteLowering } from './context.ts';

const unary =
  (op: BuiltinOperator): TfliteLowering =>
  (c) =>
    c.emit(op, [c.input(0)]);

const binary =
  (op: BuiltinOperator): TfliteLowering =>
  (c) =>
    c.emit(op, c.inputs());

const arithmetic =
  (op: 'ADD' | 'SUB' | 'MUL' | 'MAXIMUM' | 'MINIMUM'): TfliteLowering =>
  (c) =>
    c.emitBinary(op, c.input(0), c.input(1));

/** Division by a constant as multiplication: equal up to the last bit or two, faster, and the only one with an int8 kernel. */
function divide(c: LoweringContext): void {
  const [a, b] = [c.input(0), c.input(1)];
  const divisor = c.data(b);
  if (divisor === undefined || c.type(b).dtype !== 'float32') {
    c.emitBinary('DIV', a, b);
    return;
  }
  const inverse = Float32Array.from(divisor as Float32Array, (value) => 1 / value);
  c.emitBinary('MUL', a, c.program.constant(c.type(b), inverse, `${b}/inverse`));
}

function clip(c: LoweringContext): void {
  const [x, min, max] = [c.input(0), c.attr('clipValueMin'), c.attr('clipValueMax')];
  if (min === 0 && max === Infinity) {
    c.emit('RELU', [x]);
    return;
  }
  if (min === 0 && max === 6) {
    c.emit('RELU6', [x]);
    return;
  }
  if (min === -1 && max === 1) {
    c.emit('RELU_N1_TO_1', [x]);
    return;
  }
  const low = min === 0 ? c.unary('RELU', x) : min === -Infinity ? x : c.binary('MAXIMUM', x, c.program.float(min));
  if (max === Infinity) {
    c.same(low);
    return;
  }
  c.emitBinary('MINIMUM', low, c.program.float(max));
}

/** relu6(x + 3) / 6 as converters write it; alpha and beta other than 1/6 and 1/2 are clipped to [0, 1]. */
function hardSigmoid(c: LoweringContext): void {
  const [x, alpha, beta] = [c.input(0), c.attr('alpha'), c.attr('beta')];
  if (Math.abs(alpha * 6 - 1) < 1e-6 && beta === 0.5) {
    const shifted = c.unary('RELU6', c.binary('ADD', x, c.program.float(3)));
    c.emitBinary('MUL', shifted, c.program.float(1 / 6));
    return;
  }
  const line = c.binary('ADD', c.binary('MUL', x, c.program.float(alpha)), c.program.float(beta));
  c.emitBinary('MINIMUM', c.unary('RELU', line), c.program.float(1));
}

/** log(1 + exp x) without overflow: relu(x) + log(1 + exp(-|x|)). */
function softplus(c: LoweringContext): void {
  const x = c.input(0);
  const tail = c.unary('EXP', c.unary('NEG', c.unary('ABS', x)));
  c.emitBinary('ADD', c.unary('RELU', x), c.unary('LOG', c.binary('ADD', tail, c.program.float(1))));
}

/** Klambauer et al. 2017: scale · (relu(x) + alpha · min(elu(x), 0)). */
function selu(c: LoweringContext): void {
  const x = c.input(0);
  const [alpha, scale] = [1.6732632423543772, 1.0507009873554805];
  const below = c.binary('MINIMUM', c.unary('ELU', x), c.program.float(0));
  const left = c.binary('MUL', below, c.program.float(scale * alpha));
  c.emitBinary('ADD', left, c.binary('MUL', c.unary('RELU', x), c.program.float(scale)));
}

/** (exp x ± exp -x) / 2 */
const hyperbolic =
  (op: 'ADD' | 'SUB'): TfliteLowering =>
  (c) => {
    const x = c.input(0);
    const sum = c.binary(op, c.unary('EXP', x), c.unary('EXP', c.unary('NEG', x)));
    c.emitBinary('MUL', sum, c.program.float(0.5));
  };

/** LiteRT does not divide whole numbers of 64 bits: places of 32 bits, as a TopK gives them, are divided before they are widened. */
function floorDivision(c: LoweringContext): void {
  const [x, by] = [c.input(0), c.input(1)];
  if (c.type(x).dtype !== 'int64') {
    binary('FLOOR_DIV')(c);
    return;
  }
  const maker = c.program.producers().get(x);
  const narrow = maker?.op === 'CAST' && c.type(maker.inputs[0]!).dtype === 'int32' ? maker.inputs[0] : undefined;
  const divisors = [...(c.data(by) ?? [])].map(Number);
  // The quotient by -1 of the least number has 33 bits.
  const isKnown = divisors.length === 1 && divisors[0]! > 0 && divisors[0]! < 2 ** 31;
  if (narrow === undefined || !isKnown)
    c.fail(
      'divides whole numbers of 64 bits, which LiteRT does not',
      'Cast to int32 before the division, or export to ONNX.',
    );
  const divisor = c.program.int(divisors[0]!);
  c.emit('CAST', [c.temp('FLOOR_DIV', [narrow, divisor], { dtype: 'int32', shape: c.out().shape })]);
}

function step(c: LoweringContext): void {
  const x = c.input(0);
  const positive = c.temp('GREATER', [x, c.program.float(0)], { dtype: 'bool', shape: c.shape(x) });
  c.emit('SELECT_V2', [positive, c.program.float(1), c.program.float(c.attr('alpha'))]);
}

/** Compares |x| with infinity. */
const magnitudeTest =
  (op: 'EQUAL' | 'LESS'): TfliteLowering =>
  (c) =>
    c.emit(op, [c.unary('ABS', c.input(0)), c.program.float(Infinity)]);

function cast(c: LoweringContext): void {
  const [from, to] = [c.type(c.input(0)).dtype, c.out().dtype];
  if (from === to) {
    c.same(c.input(0));
    return;
  }
  const options = { type$: 'CastOptions', inDataType: tensorType(from), outDataType: tensorType(to) };
  c.emit('CAST', [c.input(0)], options);
}

export const elementwise: Readonly<Record<string, TfliteLowering>> = {
  Identity: (c) => c.same(c.input(0)),
  Dropout: (c) => c.same(c.input(0)),
  Abs: unary('ABS'),
  Ceil: unary('CEIL'),
  ClipByValue: clip,
  Cos: unary('COS'),
  Cosh: hyperbolic('ADD'),
  Elu: unary('ELU'),
  Exp: unary('EXP'),
  Expm1: (c) => c.emitBinary('SUB', c.unary('EXP', c.input(0)), c.program.float(1)),
  Floor: unary('FLOOR'),
  Gelu: (c) => c.emit('GELU', [c.input(0)], { type$: 'GeluOptions', approximate: c.attr<boolean>('approximate') }),
  HardSigmoid: hardSigmoid,
  HardSwish: unary('HARD_SWISH'),
  LeakyRelu: (c) => c.emit('LEAKY_RELU', [c.input(0)], { type$: 'LeakyReluOptions', alpha: c.attr('alpha') }),
  Log: unary('LOG'),
  Log1p: (c) => c.emit('LOG', [c.binary('ADD', c.input(0), c.program.float(1))]),
  LogicalNot: unary('LOGICAL_NOT'),
  Neg: unary('NEG'),
  Reciprocal: (c) => c.emitBinary('DIV', c.program.float(1), c.input(0)),
  Relu: unary('RELU'),
  Relu6: unary('RELU6'),
  Round: unary('ROUND'),
  Rsqrt: unary('RSQRT'),
  Selu: selu,
  Sigmoid: unary('LOGISTIC'),
  Sign: unary('SIGN'),
  Sin: unary('SIN'),
  Sinh: hyperbolic('SUB'),
  Softplus: softplus,
  Sqrt: unary('SQRT'),
  Square: unary('SQUARE'),
  Step: step,
  Swish: (c) => c.emitBinary('MUL', c.input(0), c.unary('LOGISTIC', c.input(0))),
  Tan: (c) => c.emitBinary('DIV', c.unary('SIN', c.input(0)), c.unary('COS', c.input(0))),
  Tanh: unary('TANH'),
  IsFinite: magnitudeTest('LESS'),
  IsInf: magnitudeTest('EQUAL'),
  IsNan: (c) => c.emit('NOT_EQUAL', [c.input(0), c.input(0)]),
  Cast: cast,
  Add: arithmetic('ADD'),
  Sub: arithmetic('SUB'),
  Multiply: arithmetic('MUL'),
  RealDiv: divide,
  FloorDiv: floorDivision,
  Maximum: arithmetic('MAXIMUM'),
  Minimum: arithmetic('MINIMUM'),
  Mod: binary('FLOOR_MOD'),
  Pow: binary('POW'),
  SquaredDifference: binary('SQUARED_DIFFERENCE'),
  Atan2: binary('ATAN2'),
  Prelu: binary('PRELU'),
  Equal: binary('EQUAL'),
  NotEqual: binary('NOT_EQUAL'),
  Greater: binary('GREATER'),
  GreaterEqual: binary('GREATER_EQUAL'),
  Less: binary('LESS'),
  LessEqual: binary('LESS_EQUAL'),
  LogicalAnd: binary('LOGICAL_AND'),
  LogicalOr: binary('LOGICAL_OR'),
  Select: binary('SELECT_V2'),
};
