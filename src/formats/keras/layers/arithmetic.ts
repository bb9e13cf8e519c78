import { shown } from '../../../base/errors.ts';
import type { LayerContext, LayerRule, Size, KerasValue } from '../context.ts';
import { namedActivation } from './activations.ts';

/** Shape of two that are broadcast. */
function broadcast(k: LayerContext, a: readonly Size[], b: readonly Size[]): Size[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const padded = [...new Array<Size>(long.length - short.length).fill(1), ...short];
  return long.map((size, i) => {
    const other = padded[i]!;
    if (size === other || other === 1) return size;
    if (size === 1) return other;
    if (i === 0 || size === null || other === null) return size ?? other;
    return k.fail(`cannot join shapes [${a.join(', ')}] and [${b.join(', ')}]`);
  });
}

/** Applies an operator of two tensors of the same rank. */
export function joined(k: LayerContext, op: string, a: KerasValue, b: KerasValue): KerasValue {
  const shape = broadcast(k, a.shape, b.shape);
  // The channels of both are the second axis, or are brought to the last.
  const isFirst = a.shape.length === b.shape.length && (a.isFirst || b.isFirst) && a.shape.length > 2;
  const of = (value: KerasValue): string => (isFirst ? k.first(value) : k.last(value));
  return { tensor: k.op(op, [of(a), of(b)]), shape, isFirst };
}

const merge =
  (op: string, end: (k: LayerContext, tensor: string, count: number) => string = (_, tensor) => tensor): LayerRule =>
  (k, inputs) => {
    if (inputs.length < 2) k.fail(`expected several inputs, received ${inputs.length}`);
    if (new Set(inputs.map(({ shape }) => shape.length)).size > 1)
      k.fail(`cannot join inputs of ${inputs.map(({ shape }) => shape.length).join(' and ')} axes`);
    const all = inputs.reduce((sum, one) => joined(k, op, sum, one));
    return { ...all, tensor: end(k, all.tensor, inputs.length) };
  };

const concatenate: LayerRule = (k, inputs) => {
  const rank = inputs[0]!.shape.length;
  const axis = k.axis(k.setting('axis') ?? -1, rank);
  if (axis === 0 || inputs.some(({ shape }) => shape.length !== rank)) k.refuse('axis');
  const isFirst = rank > 2 && inputs.some((value) => value.isFirst);
  const along = !isFirst ? axis : axis === rank - 1 ? 1 : axis + 1;
  const tensor = k.op(
    'Concat',
    inputs.map((value) => (isFirst ? k.first(value) : k.last(value))),
    { axis: along },
  );
  const sizes = inputs.map(({ shape }) => shape[axis]!);
  const size = sizes.reduce<Size>((sum, one) => (sum === null || one === null ? null : sum + one), 0);
  return { tensor, shape: inputs[0]!.shape.map((one, i) => (i === axis ? size : one)), isFirst };
};

const LETTERS = 'abcdefghijklmnop';

/** Products over one axis of each input, for each sample. */
const dot: LayerRule = (k, [a, b]) => {
  const [x, y] = [a!, b!];
  const [first, second] = k.list('axes', 2).map((axis, i) => k.axis(axis, (i === 0 ? x : y).shape.length)) as [
    number,
    number,
  ];
  const of = (value: KerasValue, axis: number): string => {
    if (axis === 0) k.refuse('axes');
    const tensor = k.last(value);
    if (!k.flag('normalize', false)) return tensor;
    const length = k.op('ReduceL2', [tensor, k.ints([axis])], { keepdims: 1 });
    return k.op('Div', [tensor, k.op('Max', [length, k.scalar(1e-6)])]);
  };
  const left = x.shape.map((_, i) => LETTERS[i]!);
  const right = y.shape.map((_, i) => (i === 0 ? 'a' : i === second ? left[first]! : LETTERS[left.length + i]!));
  const kept = [
    ...left.flatMap((letter, i) => (i === first ? [] : [{ letter, size: x.shape[i]! }])),
    ...right.flatMap((letter, i) => (i === 0 || i === second ? [] : [{ letter, size: y.shape[i]! }])),
  ];
  const equation = `${left.join('')},${right.join('')}->${kept.map(({ letter }) => letter).join('')}`;
  const tensor = k.op('Einsum', [of(x, first), of(y, second)], { equation });
  const shape = kept.map(({ size }) => size);
  if (kept.length > 1) return { tensor, shape, isFirst: false };
  return { tensor: k.op('Unsqueeze', [tensor, k.ints([1])]), shape: [...shape, 1], isFirst: false };
};

export const merges: Readonly<Record<string, LayerRule>> = {
  Add: merge('Add'),
  Subtract: merge('Sub'),
  Multiply: merge('Mul'),
  Maximum: merge('Max'),
  Minimum: merge('Min'),
  Average: merge('Add', (k, tensor, count) => k.op('Mul', [tensor, k.scalar(1 / count)])),
  Concatenate: concatenate,
  Dot: dot,
};

/** An operation of two tensors, or of a tensor and a number. */
function arithmetic(k: LayerContext, op: string, [a, b]: readonly unknown[]): KerasValue {
  if (isValue(a) && isValue(b)) return joined(k, op, a, b);
  const value = isValue(a) ? a : isValue(b) ? b : k.fail('has no tensor among its operands');
  const other = isValue(a) ? b : a;
  const numbers = Array.isArray(other) ? other.flat(8) : [other];
  if (!numbers.every((one) => typeof one === 'number') || (numbers.length > 1 && !isFlat(other)))
    return k.fail(`cannot compute with ${shown(other)}`);
  const isSame = numbers.length === 1;
  const stored = k.parts.constant(numbers, isSame ? [] : [numbers.length]);
  const tensor = isSame ? value.tensor : k.last(value);
  const { shape, isFirst } = value;
  return { tensor: k.op(op, isValue(a) ? [tensor, stored] : [stored, tensor]), shape, isFirst: isSame && isFirst };
}

const isFlat = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'number');

function isValue(value: unknown): value is KerasValue {
  return typeof value === 'object' && value !== null && 'tensor' in value;
}

const BINARY: Readonly<Record<string, string>> = {
  add: 'Add',
  subtract: 'Sub',
  sub: 'Sub',
  multiply: 'Mul',
  mul: 'Mul',
  divide: 'Div',
  true_divide: 'Div',
  truediv: 'Div',
  maximum: 'Max',
  minimum: 'Min',
  power: 'Pow',
  pow: 'Pow',
};
const UNARY: Readonly<Record<string, string>> = {
  abs: 'Abs',
  absolute: 'Abs',
  negative: 'Neg',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  sin: 'Sin',
  cos: 'Cos',
  identity: 'Identity',
};

/** The operation `name` of `keras.ops` or TensorFlow on operands; undefined if it is not known. */
export function operation(k: LayerContext, name: string, operands: readonly unknown[]): KerasValue | undefined {
  if (Object.hasOwn(BINARY, name)) return arithmetic(k, BINARY[name]!, operands);
  const [x] = operands;
  if (!isValue(x)) return undefined;
  if (name === 'square') return { ...x, tensor: k.op('Mul', [x.tensor, x.tensor]) };
  if (Object.hasOwn(UNARY, name)) return { ...x, tensor: k.op(UNARY[name]!, [x.tensor]) };
  return namedActivation(k, x, name);
}
