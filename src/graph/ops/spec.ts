import type { Attrs, Dim, DType, Shape, TensorType } from '../types.ts';

export type AttrKind = 'int' | 'float' | 'bool' | 'string' | 'ints' | 'dtype' | 'shape';

/** How elements of an operand appear in the result; each degree includes those before it. */
export const degrees = [
  /** All, in their order. */
  'kept',
  /** All, in an order that the attributes determine. */
  'moved',
  /** Each at most once, determined by the attributes. */
  'cut',
  /** Each any number of times, determined by attributes, by the elements or by another operand. */
  'chosen',
  /** Means of neighbours. */
  'averaged',
] as const;

export type Degree = (typeof degrees)[number];

/**
 * Specification of an op. `inputs`: names in order; a trailing `?` marks an optional one (`''` in the node), a trailing `*` one or more values.
 * `infer` gives the output types, or throws with the reason why the inputs do not fit. The other properties hold for all attributes;
 * `test/graph/ops.test.ts` computes each op to check them.
 */
export interface OpSpec {
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrKind>>;
  readonly infer: (inputs: readonly TensorType[], attrs: Attrs) => readonly TensorType[];
  /** The results consist of elements of the first operand. */
  readonly handsOn?: Degree;
  /** An element of the result is 0 if the `first` operand, `any` operand, or `all` operands are 0 there. */
  readonly zero?: 'first' | 'any' | 'all';
  /** A sum of products of two operands: matrices, pictures and filters, or a gradient of such a convolution. */
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
