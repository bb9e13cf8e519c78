import type { Attrs } from '../../graph/types.ts';
import type { AxisLabels, Labels } from './channels.ts';

/** Values of removed channels that are 0 where their weights are, which a sum over channels does not notice. */
export interface ZeroInput {
  readonly op: string;
  readonly attrs: Attrs;
  readonly labels: readonly Labels[];
  readonly shapes: readonly (readonly number[])[];
  /** Labels of each input whose values are 0. */
  readonly zeros: readonly ReadonlySet<number>[];
}

/** Functions of one number that are 0 at 0. */
const KEEPING: ReadonlySet<string> = new Set([
  ...['Identity', 'Abs', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Cast', 'Ceil', 'Dropout', 'Elu', 'Erf', 'Expm1', 'Floor'],
  ...[
    'Gelu',
    'HardSwish',
    'LeakyRelu',
    'Log1p',
    'Neg',
    'Relu',
    'Relu6',
    'Round',
    'Selu',
    'Sign',
    'Sin',
    'Sinh',
    'Sqrt',
  ],
  ...['Square', 'Step', 'Swish', 'Tan', 'Tanh'],
]);
/** Functions that are 0 where their first operand is, where one of them is, and where all of them are. */
const OF_FIRST: ReadonlySet<string> = new Set(['RealDiv', 'FloorDiv', 'Mod', 'Prelu', 'FakeQuant']);
const OF_ANY: ReadonlySet<string> = new Set(['Multiply', 'BatchMatMul']);
const OF_ALL: ReadonlySet<string> = new Set(['Add', 'Sub', 'Maximum', 'Minimum', 'SquaredDifference']);

/** Ops that move values, or take products and sums of them: a label that was 0 still is. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Conv2D', 'DepthwiseConv2dNative', 'Conv2DBackpropInput', 'BatchMatMul', 'Sum', 'Mean', 'Max', 'Min', 'Prod'],
  ...['MaxPool', 'AvgPool', 'ResizeBilinear', 'ResizeNearestNeighbor', 'Reshape', 'Transpose', 'Slice', 'StridedSlice'],
  ...['Split', 'GatherV2', 'BroadcastTo', 'Concat', 'Pad'],
]);

/** Labels of a result whose values are 0 once their channels are. */
export function zerosOf(input: ZeroInput, result: Labels): Set<number> {
  const found = new Set<number>();
  result.forEach((labels, axis) => {
    labels?.forEach((label, place) => {
      if (isZero(input, result, { axis, place, label })) found.add(label);
    });
  });
  return found;
}

interface Place {
  readonly axis: number;
  readonly place: number;
  readonly label: number;
}

function isZero(
  { op, attrs, labels, shapes, zeros }: ZeroInput,
  result: Labels,
  { axis, place, label }: Place,
): boolean {
  const size = result[axis]!.length;
  // Axes are aligned at the end; of one of size 1 every place is the same.
  const ofInput = (k: number): boolean => {
    const at = axis - (result.length - labels[k]!.length);
    const own: AxisLabels = at < 0 || shapes[k]![at] !== size ? null : labels[k]![at]!;
    return own !== null && zeros[k]!.has(own[place]!);
  };
  const inputs = [...labels.keys()];
  if (KEEPING.has(op) || OF_FIRST.has(op)) return ofInput(0);
  if (OF_ALL.has(op)) return inputs.every(ofInput);
  if (OF_ANY.has(op) && inputs.some(ofInput)) return true;
  switch (op) {
    case 'ClipByValue':
      return ofInput(0) && (attrs['clipValueMin'] as number) <= 0 && (attrs['clipValueMax'] as number) >= 0;
    case 'Select':
      return ofInput(1) && ofInput(2);
    // Along its own channels it has lost its scale and its offset; along other axes the offset is added to zeros.
    case 'FusedBatchNorm':
      return axis === result.length - 1;
    case 'Concat':
      return axis === attrs['axis'] ? zeros.some((one) => one.has(label)) : inputs.every(ofInput);
    case 'Pad':
      return attrs['constantValue'] === 0 && ofInput(0);
    default:
      return PASSING.has(op) && zeros.some((one) => one.has(label));
  }
}
