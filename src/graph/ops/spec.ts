import type { Attrs, Dim, DType, Shape, TensorType } from '../types.ts';

export type AttrKind = 'int' | 'float' | 'bool' | 'string' | 'ints' | 'dtype' | 'shape';

/**
 * Inputs and outputs of an op. `inputs` are names in order: a trailing `?` marks one that may be absent (`''` in the
 * node), a trailing `*` one that takes one or more values. `infer` gives the output types, or throws with the reason why these inputs do not fit.
 */
export interface OpSpec {
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrKind>>;
  readonly infer: (inputs: readonly TensorType[], attrs: Attrs) => readonly TensorType[];
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
