import { isStatic } from '../../../../graph/shapes.ts';
import type { DType } from '../../../../graph/types.ts';
import type { OnnxNode } from '../../model.ts';
import { tensorData } from '../../model.ts';
import { attr, axisOf, intAttr } from '../attrs.ts';
import type { Import, Importer } from '../context.ts';
import { FIXED_BATCH } from '../hints.ts';
import { castType } from '../cast-type.ts';
import { axesOfNode } from '../ops/shape.ts';
import { combined, roundedTo, shared } from './arithmetic.ts';
import { countedOf } from './counted.ts';
import type { Fold } from './fold.ts';
import { elementAt, filledByPlace, knownIntegers } from './known.ts';
import type { KnownTensor } from './known.ts';
import { places } from './places.ts';

const binary =
  (op: string, dtype?: DType): Fold =>
  ([a, b], _, c) =>
    combined(c, op, a!, b!, dtype);

const several =
  (op: string): Fold =>
  (inputs, _, c) =>
    inputs.slice(1).reduce((a, b) => combined(c, op, a, b), inputs[0]!);

/** Bounds of operator sets before 11 are attributes. */
const clip: Fold = ([x, ...inputs], node, c) => {
  const bounds = (['min', 'max'] as const).map((name, i): KnownTensor | undefined => {
    const given = c.opset < 11 ? attr(node, c, name, 'float') : undefined;
    return given === undefined ? inputs[i] : { ...x!, dims: [], values: [given] };
  });
  const [low, high] = bounds;
  const above = low === undefined ? x! : combined(c, 'Max', x!, low);
  return high === undefined ? above : combined(c, 'Min', above, high);
};

/** Operation on one value. Rounding does not change sizes, which are integers. */
const unary =
  (run: (x: number) => number, isRounding = false): Fold =>
  ([x], _, c) => ({
    ...x!,
    values: x!.values.map((value) => {
      if (typeof value === 'number') return roundedTo(run(value), x!.dtype);
      return isRounding ? value : c.fail('it computes with the batch size', FIXED_BATCH);
    }),
  });

const cast: Fold = ([x], node, c) => {
  const to = castType(node, c);
  if (to !== 'float32' && to !== 'int32' && to !== 'int64' && to !== 'bool')
    return c.fail(`to ${to}; expected to float32, int32, int64 or bool`);
  const values = x!.values.map((value) => {
    if (typeof value !== 'number') return to === 'bool' ? 1 : value;
    if (!to.startsWith('int')) return roundedTo(value, to);
    return Number.isFinite(value) ? Math.trunc(value) : c.fail(`${value} to ${to}`);
  });
  return { dtype: to, dims: x!.dims, values };
};

const where: Fold = ([condition, then, otherwise], _, c) =>
  filledByPlace(then!.dtype, shared(c, condition!, then!, otherwise!), (place) =>
    elementAt(elementAt(condition!, place) === 0 ? otherwise! : then!, place),
  );

const range: Fold = ([start, limit, delta], _, c) => {
  const [from, to, step] = [start, limit, delta].map((one) => {
    const value = one!.values[0]!;
    return typeof value === 'number' ? value : c.fail('its length depends on the batch size', FIXED_BATCH);
  }) as [number, number, number];
  if (step === 0) c.fail('with a step of 0');
  const length = Math.max(0, Math.ceil((to - from) / step));
  return filledByPlace(start!.dtype, [length], (_place, i) => roundedTo(from + i * step, start!.dtype));
};

const reduction =
  (op: 'Add' | 'Mul' | 'Min' | 'Max'): Fold =>
  ([x], node, c) => {
    const declaredAxes = axesOfNode(node, c, x!.dims.length) ?? [];
    const keepDims = intAttr(node, c, 'keepdims', 1) === 1;
    if (intAttr(node, c, 'noop_with_empty_axes', 0) === 1 && declaredAxes.length === 0) return x!;
    const axes = declaredAxes.length === 0 ? x!.dims.map((_, i) => i) : declaredAxes;
    const kept = x!.dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
    const parts = new Map<string, KnownTensor>();
    const element = (place: readonly number[]): KnownTensor => ({ ...x!, dims: [], values: [elementAt(x!, place)] });
    filledByPlace(x!.dtype, x!.dims, (place) => {
      const key = place.map((at, i) => (axes.includes(i) ? 0 : at)).join();
      const before = parts.get(key);
      parts.set(key, before === undefined ? element(place) : combined(c, op, before, element(place)));
      return 0;
    });
    const empty = op === 'Add' ? 0 : op === 'Mul' ? 1 : undefined;
    const { values } = filledByPlace(x!.dtype, kept, (place) => {
      return parts.get(place.join())?.values[0] ?? empty ?? c.fail('it reduces no values');
    });
    return { dtype: x!.dtype, dims: keepDims ? kept : x!.dims.filter((_, i) => !axes.includes(i)), values };
  };

const trilu: Fold = ([x, k], node, c) => {
  const isUpper = intAttr(node, c, 'upper', 1) === 1;
  const by = Number(k?.values[0] ?? 0);
  return filledByPlace(x!.dtype, x!.dims, (place) => {
    const right = place.at(-1)! - place.at(-2)!;
    return (isUpper ? right >= by : right <= by) ? elementAt(x!, place) : 0;
  });
};

/** Indexes of nonzero elements: [axes, count]. */
const nonZero: Fold = ([x]) => {
  const found: (readonly number[])[] = [];
  filledByPlace(x!.dtype, x!.dims, (place) => {
    if (elementAt(x!, place) !== 0) found.push(place);
    return 0;
  });
  return filledByPlace('int64', [x!.dims.length, found.length], ([axis, i]) => found[i!]![axis!]!);
};

const constantOfShape: Fold = ([shape], node, c) => {
  const valueTensor = attr(node, c, 'value', 'tensor');
  const dtype = valueTensor?.dtype ?? 'float32';
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'int64' && dtype !== 'bool')
    return c.fail(`filled with ${dtype}; expected float32, int32, int64 or bool`);
  const value = valueTensor === undefined ? 0 : Number(tensorData(valueTensor)?.[0]);
  const dims = shape!.values.map((dim) =>
    typeof dim === 'number' ? dim : c.fail('its shape depends on the batch size'),
  );
  return filledByPlace(dtype, dims, () => value);
};

const cumulated: Fold = ([x, axisInput], node, c) => {
  const axis = axisOf(Number(axisInput!.values[0]), x!.dims.length, c);
  const [exclusive, reverse] = [intAttr(node, c, 'exclusive', 0) === 1, intAttr(node, c, 'reverse', 0) === 1];
  const n = x!.dims[axis]!;
  return filledByPlace(x!.dtype, x!.dims, (place) => {
    const at = place[axis]!;
    const [first, last] = reverse ? [exclusive ? at + 1 : at, n - 1] : [0, exclusive ? at - 1 : at];
    let sum = 0;
    for (let i = first; i <= last; i++) sum += Number(elementAt(x!, place.with(axis, i)));
    return roundedTo(sum, x!.dtype);
  });
};

const comparisons = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'];

const folds: Readonly<Record<string, Fold>> = {
  ...Object.fromEntries(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'And', 'Or', 'Xor'].map((op) => [op, binary(op)])),
  ...Object.fromEntries(comparisons.map((op) => [op, binary(op, 'bool')])),
  Mod: (inputs, node, c) => {
    if (intAttr(node, c, 'fmod', 0) === 0) return binary('Mod')(inputs, node, c);
    return c.fail('its attribute fmod is 1, expected 0');
  },
  Min: several('Min'),
  Max: several('Max'),
  Sum: several('Add'),
  Clip: clip,
  Neg: unary((x) => -x),
  Abs: unary(Math.abs, true),
  Sign: unary(Math.sign),
  Sqrt: unary(Math.sqrt),
  Floor: unary(Math.floor, true),
  Ceil: unary(Math.ceil, true),
  Not: unary((x) => Number(x === 0)),
  Identity: ([x]) => x!,
  Cast: cast,
  Where: where,
  Range: range,
  Size: ([x]) => knownIntegers([x!.values.length], true),
  ReduceSum: reduction('Add'),
  ReduceProd: reduction('Mul'),
  ReduceMin: reduction('Min'),
  ReduceMax: reduction('Max'),
  Trilu: trilu,
  NonZero: nonZero,
  ConstantOfShape: constantOfShape,
  CumSum: cumulated,
  ...places,
};

/** Number of leading inputs that are operands; the others are positions or amounts. If not listed: all inputs. */
const OPERANDS: Readonly<Record<string, number>> = {
  Gather: 1,
  Slice: 1,
  Expand: 1,
  Tile: 1,
  Squeeze: 1,
  Unsqueeze: 1,
  Reshape: 1,
  Split: 1,
  Trilu: 1,
  Pow: 1,
  ReduceSum: 1,
  ReduceProd: 1,
  ReduceMin: 1,
  ReduceMax: 1,
  CumSum: 1,
};

const computed: Importer = (_, c) =>
  c.fail('its inputs are computed; expected values that are known when the file is read');

/** Operators that are supported only for known inputs. */
export const foldedOnly: Readonly<Record<string, Importer>> = Object.fromEntries(
  ['Range', 'NonZero'].map((op) => [op, computed]),
);

/**
 * Importer of a node whose inputs are all known and hold integers, booleans or results of such. Stored floats are weights, which stay in the graph.
 */
export function foldOf(node: OnnxNode, c: Import): Importer | undefined {
  const fold = Object.hasOwn(folds, node.op) ? folds[node.op]! : undefined;
  const counted = countedOf(node, fold, c);
  if (counted !== undefined) return counted;
  const presentInputs = node.inputs.filter((name) => name !== '');
  if (fold === undefined || presentInputs.length === 0 || !presentInputs.every((name) => c.isKnown(name)))
    return undefined;
  const operands = node.inputs.slice(0, OPERANDS[node.op]).filter((name) => name !== '');
  // A matrix times a number from a shape stays in the graph, where the matrix can be trained.
  const isMatrix = (name: string): boolean => c.isWeights(name) && c.shapeOf(name).length > 1;
  const isWeights = operands.every((name) => c.isWeights(name)) || (c.isTrained && operands.some(isMatrix));
  const makesFloats = node.op === 'ConstantOfShape' && makesFloat(node);
  // PyTorch's older exporter folds float sizes: nothing is learned through a number that is rounded.
  const isSize = (node.op === 'Ceil' || node.op === 'Floor') && c.shapeOf(node.inputs[0]!).every((dim) => dim === 1);
  const wanted = node.op === 'Range' || node.op === 'Cast' || isSize || comparisons.includes(node.op);
  if ((isWeights && !wanted) || makesFloats) return undefined;
  // Repeated for each sample, it must be a tensor of the graph.
  if (node.op === 'Expand' && !isStatic(c.numbers(node.inputs[1], 'shape'))) return undefined;
  return (asked, context) => {
    const inputs = asked.inputs.map((name) => (name === '' ? undefined : context.knownOf(name))) as KnownTensor[];
    const result = fold(inputs, asked, context);
    const all = 'dims' in result ? [result] : result;
    all.forEach((known, i) => context.defineKnown(asked.outputs[i]!, known));
  };
}

/** True for a float constant, as most are. They may be large, and are added to the graph directly. */
function makesFloat({ attrs }: OnnxNode): boolean {
  const value = attrs.get('value');
  return value?.type !== 'tensor' || value.value.dtype === 'float32';
}
