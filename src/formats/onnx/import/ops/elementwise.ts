import type { Attrs } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { attr, axisOf, intAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';

/** Importer of an operator with one operand, in either layout. */
export const unary =
  (op: string, attrs: (node: OnnxNode, c: Import) => Attrs = () => ({})): Importer =>
  (node, c) => {
    const attributes = attrs(node, c);
    onOne(node, c, (x) => c.op(op, [x], attributes));
  };

/** Defines the output as `compute` of the first input, which keeps shape and layout (possibly channels last). */
export function onOne(node: OnnxNode, c: Import, compute: (x: string) => string): void {
  const [x] = node.inputs as [string];
  const last = c.liesChannelsLast(x);
  const y = compute(last ? c.nhwc(x) : c.plain(x));
  c.define(node.outputs[0]!, last ? { nhwc: y } : { plain: y });
}

/** Combines operands; channels last if one operand is and the others are [n, c, h, w] or stored. */
function combine(c: Import, op: string, names: readonly string[], output: string): void {
  const fits = (name: string): boolean => {
    const rank = c.shapeOf(name).length;
    return rank === 4 || (rank < 4 && c.stored(name)?.type.dtype === 'float32');
  };
  const last = names.some((name) => c.liesChannelsLast(name)) && names.every(fits);
  const values = names.map((name) => (last ? c.alignedNhwc(name) : c.plain(name)));
  const y = values.slice(1).reduce((a, b) => c.op(op, [a, b]), values[0]!);
  c.define(output, last ? { nhwc: y } : { plain: y });
}

const several =
  (op: string): Importer =>
  (node, c) =>
    combine(c, op, node.inputs, node.outputs[0]!);

/** Importer of an operator with two operands. Before operator set 7 broadcasting was optional, and could start at an axis. */
const binary =
  (op: string): Importer =>
  (node, c) => {
    const [a, b] = node.inputs as [string, string];
    if (c.opset < 7) {
      const isBroadcast = intAttr(node, c, 'broadcast', 0) === 1;
      const axis = attr(node, c, 'axis', 'int');
      const [whole, part] = [c.shapeOf(a).length, c.shapeOf(b).length];
      const end = isBroadcast && axis !== undefined ? axisOf(Number(axis), whole, c) + part : whole;
      if (end < whole) {
        const value = c.op('Reshape', [c.plain(b)], { shape: [...c.shapeOf(b), ...ones(whole - end)] });
        c.define(node.outputs[0]!, { plain: c.op(op, [c.plain(a), value]) });
        return;
      }
    }
    combine(c, op, [a, b], node.outputs[0]!);
  };

function ones(count: number): number[] {
  return new Array<number>(count).fill(1);
}

/** A zero of a value's type. */
function zeroOf(c: Import, value: string): string {
  const { dtype } = c.builder.typeOf(value);
  const zero = c.constant(Float32Array.of(0), []);
  return dtype === 'float32' ? zero : c.op('Cast', [zero], { dtype });
}

/** Division. ONNX truncates the quotient of integers; the graph's operator rounds it down. */
const divided: Importer = (node, c) => {
  const [a, b] = node.inputs as [string, string];
  const isWhole = c.knownOf(a) === undefined && /^int/.test(c.builder.typeOf(c.plain(a)).dtype);
  if (!isWhole) {
    binary('RealDiv')(node, c);
    return;
  }
  const [x, y] = [c.plain(a), c.plain(b)] as const;
  const down = c.op('FloorDiv', [x, y]);
  const { dtype } = c.builder.typeOf(x);
  const rest = c.op('Sub', [x, c.op('Multiply', [down, y])]);
  const zero = zeroOf(c, x);
  // The remainder has the divisor's sign: rounding down is off by one if the quotient is negative and not exact.
  const isNegative = c.op('NotEqual', [c.op('Less', [x, zero]), c.op('Less', [y, zero])]);
  const isFar = c.op('LogicalAnd', [c.op('NotEqual', [rest, zero]), isNegative]);
  c.define(node.outputs[0]!, { plain: c.op('Add', [down, c.op('Cast', [isFar], { dtype })]) });
};

/** Remainder with the divisor's sign; with `fmod` the dividend's. */
const modulo: Importer = (node, c) => {
  const [x, y] = node.inputs.slice(0, 2).map((name) => c.plain(name)) as [string, string];
  const hasSignOfDividend = intAttr(node, c, 'fmod', 0) === 1;
  if (!hasSignOfDividend && c.builder.typeOf(x).dtype !== 'float32') {
    c.define(node.outputs[0]!, { plain: c.op('Mod', [x, y]) });
    return;
  }
  // Computed on absolute values, which also works for infinite divisors.
  const size = c.op('Mod', [c.op('Abs', [x]), c.op('Abs', [y])]);
  const zero = zeroOf(c, x);
  const isNegative = c.op('Less', [x, zero]);
  const rest = c.op('Select', [isNegative, c.op('Neg', [size]), size]);
  if (hasSignOfDividend) {
    c.define(node.outputs[0]!, { plain: rest });
    return;
  }
  const differs = c.op('NotEqual', [isNegative, c.op('Less', [y, zero])]);
  const isFar = c.op('LogicalAnd', [differs, c.op('NotEqual', [size, zero])]);
  c.define(node.outputs[0]!, { plain: c.op('Select', [isFar, c.op('Add', [rest, y]), rest]) });
};

/** The exponent's type may differ from the base's. */
const pow: Importer = (node, c) => {
  const stored = c.stored(node.inputs[1]);
  if (stored === undefined || stored.type.dtype === 'float32') {
    binary('Pow')(node, c);
    return;
  }
  const [x] = node.inputs as [string];
  const exponent = c.constant(Float32Array.from(stored.data as ArrayLike<number | bigint>, Number), [
    ...(stored.type.shape as number[]),
  ]);
  c.define(node.outputs[0]!, { plain: c.op('Pow', [c.plain(x), exponent]) });
};

/** Prelu. Before operator set 7, several slopes were one for each channel (the second axis). */
const prelu: Importer = (node, c) => {
  const [x, slope] = node.inputs as [string, string];
  const [rank, shape] = [c.shapeOf(x).length, c.shapeOf(slope)];
  if (c.opset >= 7 || shape.length !== 1 || shape[0] === 1) {
    combine(c, 'Prelu', [x, slope], node.outputs[0]!);
    return;
  }
  const value = c.op('Reshape', [c.plain(slope)], { shape: [...shape, ...ones(rank - 2)] });
  c.define(node.outputs[0]!, { plain: c.op('Prelu', [c.plain(x), value]) });
};

const mean: Importer = (node, c) => {
  const values = node.inputs.map((name) => c.plain(name));
  const sum = values.slice(1).reduce((a, b) => c.op('Add', [a, b]), values[0]!);
  c.define(node.outputs[0]!, { plain: c.op('RealDiv', [sum, c.constant(Float32Array.of(values.length), [])]) });
};

export const elementwiseImporters: Readonly<Record<string, Importer>> = {
  ...Object.fromEntries(
    [
      'Relu',
      'Sigmoid',
      'Tanh',
      'Softplus',
      'Exp',
      'Log',
      'Sqrt',
      'Abs',
      'Neg',
      'Reciprocal',
      'Erf',
      'Floor',
      'Ceil',
      'HardSwish',
      'Sin',
      'Cos',
      'Tan',
      'Asin',
      'Acos',
      'Atan',
      'Sinh',
      'Cosh',
      'Asinh',
      'Acosh',
      'Atanh',
      'Sign',
      'Round',
    ].map((op) => [op, unary(op)]),
  ),
  PRelu: prelu,
  Mean: mean,
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Multiply'),
  Div: divided,
  Mod: modulo,
  Pow: pow,
  Sum: several('Add'),
  Max: several('Maximum'),
  Min: several('Minimum'),
};
