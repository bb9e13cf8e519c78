import { dataTypes } from './model.ts';
import type { OnnxAttr, OnnxDType } from './model.ts';

/** An attribute in short form: numbers are ints unless wrapped in `{float}`. */
export type ShortAttr =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly dtype: OnnxDType };

export type ShortAttrs = Readonly<Record<string, ShortAttr>>;

/** The attributes of a node, by name. */
export function attributes(attrs: ShortAttrs): Map<string, OnnxAttr> {
  return new Map(Object.entries(attrs).map(([key, value]) => [key, attribute(value)]));
}

function attribute(value: ShortAttr): OnnxAttr {
  if (typeof value === 'number') return { type: 'int', value };
  if (typeof value === 'string') return { type: 'string', value };
  if ('float' in value) return { type: 'float', value: value.float };
  if ('floats' in value) return { type: 'floats', value: value.floats };
  if ('strings' in value) return { type: 'strings', value: value.strings };
  if ('dtype' in value) return { type: 'int', value: dataTypes[value.dtype] };
  return { type: 'ints', value };
}
