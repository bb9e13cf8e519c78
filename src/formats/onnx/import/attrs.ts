import type { OnnxAttr, OnnxNode } from '../model.ts';
import type { Import } from './context.ts';

/** Value types of attributes, by type. */
type Values = { [Type in OnnxAttr['type']]: Extract<OnnxAttr, { type: Type }>['value'] };

/** Value of an attribute; undefined if it is absent. `UserError` for another type. */
export function attr<Type extends OnnxAttr['type']>(
  node: OnnxNode,
  c: Import,
  name: string,
  type: Type,
): Values[Type] | undefined {
  const found = node.attrs.get(name);
  if (found === undefined) return undefined;
  if (found.type !== type) return c.fail(`its attribute ${name} is of the type ${found.type}, expected ${type}`);
  return found.value as Values[Type];
}

export function intAttr(node: OnnxNode, c: Import, name: string, otherwise: number): number {
  return Number(attr(node, c, name, 'int') ?? otherwise);
}

export function floatAttr(node: OnnxNode, c: Import, name: string, otherwise: number): number {
  return attr(node, c, name, 'float') ?? otherwise;
}

export function intsAttr(node: OnnxNode, c: Import, name: string): number[] | undefined {
  return attr(node, c, name, 'ints')?.map(Number);
}

/** Fails unless an attribute has a supported value. */
export function expectInt(node: OnnxNode, c: Import, name: string, expected: number, otherwise = expected): void {
  const value = intAttr(node, c, name, otherwise);
  if (value !== expected) c.fail(`its attribute ${name} is ${value}, expected ${expected}`);
}

/** Marks attributes without effect on the result as read. */
export function ignore(node: OnnxNode, ...names: readonly string[]): void {
  for (const name of names) node.attrs.get(name);
}

/** Marks an input without effect on the result as read. */
export function ignoreInput(node: OnnxNode, position: number): void {
  node.inputs.at(position);
}

/** Converts a negative axis to one counted from the start. */
export function axisOf(axis: number, rank: number, c: Import): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= Math.max(rank, 1)) c.fail(`axis ${axis} of a tensor with ${rank} axes`);
  return positive;
}
