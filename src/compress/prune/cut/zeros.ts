import { handsOn, opSpec } from '../../../graph/ops.ts';
import type { Attrs } from '../../../graph/types.ts';
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

/** Reductions that give 0 if all their elements are 0. */
const REDUCTIONS: ReadonlySet<string> = new Set(['Sum', 'Mean', 'Max', 'Min', 'Prod']);

/** Ops that move values, or take products and sums of them: a label that was 0 still is. */
function passes(op: string): boolean {
  return opSpec(op).product !== undefined || handsOn(op, 'averaged') || REDUCTIONS.has(op);
}

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
  switch (opSpec(op).zero) {
    case 'first':
      return ofInput(0);
    case 'all':
      return inputs.every(ofInput);
    case 'any':
      return inputs.some(ofInput);
    default:
  }
  switch (op) {
    // Products with an operand of the same batch, such as a head of an attention.
    case 'BatchMatMul':
      return (axis < result.length - 2 && inputs.some(ofInput)) || zeros.some((one) => one.has(label));
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
      return passes(op) && zeros.some((one) => one.has(label));
  }
}
