import { elementwise } from './ops/elementwise.ts';
import { linear } from './ops/linear.ts';
import { norm } from './ops/norm.ts';
import { reduce } from './ops/reduce.ts';
import { shape } from './ops/shape.ts';
import type { Degree, OpSpec } from './ops/spec.ts';
import { degrees } from './ops/spec.ts';

const table = { ...elementwise, ...reduce, ...shape, ...linear, ...norm };

export type OpName = keyof typeof table;

/** The only op list. Every interpretation (trace, onnx, tflite, interpret, macs) is a table keyed by these names. */
const ops: Readonly<Record<string, OpSpec>> = table;

export const opNames = Object.keys(table) as OpName[];

export function opSpec(name: string): OpSpec {
  const spec = Object.hasOwn(ops, name) ? ops[name] : undefined;
  if (spec === undefined) throw new Error(`there is no op ${name}`);
  return spec;
}

/** True if the results of an op are numbers of its first operand, which become no more of than `most`. */
export function handsOn(op: string, most: Degree): boolean {
  const degree = opSpec(op).handsOn;
  return degree !== undefined && degrees.indexOf(degree) <= degrees.indexOf(most);
}
