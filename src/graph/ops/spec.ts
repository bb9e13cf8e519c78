import type { Attrs, Dim, DType, Shape, TensorType } from '../types.ts';

export type AttrKind = 'int' | 'float' | 'bool' | 'string' | 'ints' | 'dtype' | 'shape';

/** What becomes of the numbers of an operand that is handed on; each degree includes those before it. */
export const degrees = [
  /** All of them come out in their order. */
  'kept',
  /** All of them come out, in an order that the attributes say. */
  'moved',
  /** Each comes out at most once, as the attributes say. */
  'cut',
  /** Each comes out any number of times; the numbers themselves, or another operand, may decide. */
  'chosen',
  /** Means of neighbours come out. */
  'averaged',
] as const;

export type Degree = (typeof degrees)[number];

/**
 * Inputs and outputs of an op. `inputs` are names in order: a trailing `?` marks one that may be absent (`''` in the
 * node), a trailing `*` one that takes one or more values. `infer` gives the output types, or throws with the reason why these inputs do not fit.
 * The rest is true of the op whatever its attributes are; `test/graph/ops.test.ts` computes each op and compares.
 */
export interface OpSpec {
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrKind>>;
  readonly infer: (inputs: readonly TensorType[], attrs: Attrs) => readonly TensorType[];
  /** The results hold numbers of the first operand and nothing else. */
  readonly handsOn?: Degree;
  /** An element of the result is 0 where the `first` operand is, where `any` of them is, or where `all` of them are. */
  readonly zero?: 'first' | 'any' | 'all';
  /** A positive factor for each channel of the operand, along its last axis, is a factor of the result. */
  readonly isHomogeneous?: true;
  /** Sums of products of two operands: of matrices, of pictures and filters, or the gradient of such a convolution by one of them. */
  readonly product?: 'matrix' | 'convolution' | 'input gradient' | 'filter gradient';
}

export function int(attrs: Attrs, name: string): number {
  return attrs[name] as number;
}

export function ints(attrs: Attrs, name: string): readonly number[] {
  return attrs[name] as readonly number[];
}

export function flag(attrs: Attrs, name: string): boolean {
  return attrs[name] as boolean;
}

export function text(attrs: Attrs, name: string): string {
  return attrs[name] as string;
}

export function shapeAttr(attrs: Attrs, name: string): readonly Dim[] {
  return attrs[name] as readonly Dim[];
}

export function dtypeAttr(attrs: Attrs): DType {
  return attrs.dtype as DType;
}

export function type(dtype: DType, shape: Shape): TensorType {
  return { dtype, shape };
}

export function expect(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Error(reason);
}

export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
