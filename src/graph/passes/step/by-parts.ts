import { elementwise } from '../../ops/elementwise.ts';
import { flag, shapeAttr } from '../../ops/spec.ts';
import { isStatic, staticSize } from '../../shapes.ts';
import type { Attrs, Node, Shape } from '../../types.ts';

/** Fewest values of a kind for which one op on all of them is worth what joins them or takes them apart. */
export const FEWEST_PARTS = 4;
/** Most numbers of a value that waits in memory for the others: of more, its own op takes longer than its call. */
const SMALL = 1 << 17;

export function isSmall(shape: Shape): boolean {
  return isStatic(shape) && staticSize(shape) <= SMALL;
}

/** Parts of a whole: `count` parts of one size along an axis. */
export interface Parted {
  readonly axis: number;
  readonly size: number;
  readonly count: number;
}

/**
 * The attributes of an op on a whole, and how its results for the parts lie in what it gives, if it treats each part as if it were alone.
 * `shapes` are those of the operands of one part, which is the operand at `place`.
 */
export function onTheWhole(
  { op, attrs }: Pick<Node, 'op' | 'attrs'>,
  shapes: readonly Shape[],
  place: number,
  parted: Parted,
): { readonly attrs: Attrs; readonly result: Parted } | undefined {
  const { axis, count } = parted;
  const shape = shapes[place]!;
  if (op === 'Reshape') {
    const to = shapeAttr(attrs, 'shape');
    if (axis !== 0 || !isStatic(to) || !isStatic(shape) || to.length === 0 || shape.length === 0) return undefined;
    return { attrs: { shape: [count * to[0]!, ...to.slice(1)] }, result: { axis, size: to[0]!, count } };
  }
  return isByPart(op, attrs, shapes, place, axis) ? { attrs, result: parted } : undefined;
}

function isByPart(op: string, attrs: Attrs, shapes: readonly Shape[], place: number, axis: number): boolean {
  const shape = shapes[place]!;
  if (op === 'Split') return attrs.axis !== axis;
  // Rows of the first operand by a matrix.
  if (op === 'BatchMatMul')
    return place === 0 && !flag(attrs, 'transposeA') && shapes[1]!.length === 2 && axis < shape.length - 1;
  if (!(op in elementwise) || op === 'Dropout') return false;
  return shapes.every((other, i) => i === place || spreadsAlong(axis, other, shape));
}

/** True if an operand broadcasts to a part along the axis of the parts. */
function spreadsAlong(axis: number, operand: Shape, part: Shape): boolean {
  const at = axis - part.length + operand.length;
  return operand.length <= part.length && (at < 0 || operand[at] === 1);
}
