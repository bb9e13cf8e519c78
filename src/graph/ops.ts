import { elementwise } from './ops/elementwise.ts';
import { linear } from './ops/linear.ts';
import { norm } from './ops/norm.ts';
import { reduce } from './ops/reduce.ts';
import { shape } from './ops/shape.ts';
import type { Degree, OpSpec } from './ops/spec.ts';
import { degrees } from './ops/spec.ts';

const table = { ...elementwise, ...reduce, ...shape, ...linear, ...norm };

export type OpName = keyof typeof table;

/** All ops. Every interpretation (trace, onnx, tflite, interpret, macs) is a table with these keys. */
const ops: Readonly<Record<string, OpSpec>> = table;

export const opNames = Object.keys(table) as OpName[];

export function opSpec(name: string): OpSpec {
  const spec = Object.hasOwn(ops, name) ? ops[name] : undefined;
  if (spec === undefined) throw new Error(`there is no op ${name}`);
  return spec;
}

/** True if an op only passes on elements of its first operand, changing them by at most the degree `most`. */
export function handsOn(op: string, most: Degree): boolean {
  const degree = opSpec(op).handsOn;
  return degree !== undefined && degrees.indexOf(degree) <= degrees.indexOf(most);
}
