import { elementwise } from '../../graph/ops/elementwise.ts';
import { readersOf } from '../../graph/passes/uses.ts';
import type { Graph, Node } from '../../graph/types.ts';
import { product } from '../../base/numbers.ts';

/**
 * The axes of a value that are batch axes of a matrix product of two computed values further on: the heads of an attention. Such a
 * product repeats over them; no head says anything about another. Those that are not reached by moving axes alone are not found.
 */
export function headsOf(graph: Graph, value: string): number[] {
  const shape = (name: string): readonly number[] => graph.types.get(name)!.shape.map(Number);
  const readers = readersOf(graph.nodes);
  const isRepeated = (from: string, at: number): boolean => {
    const seen = new Set<string>();
    const open: [value: string, axis: number][] = [[from, at]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [name, axis] = next;
      if (seen.has(`${axis} ${name}`)) continue;
      seen.add(`${axis} ${name}`);
      for (const node of readers.get(name) ?? []) {
        const isProduct = node.op === 'BatchMatMul' && node.inputs.every((input) => shape(input).length > 2);
        if (isProduct && axis < shape(name).length - 2) return true;
        const moved = movedTo(node, name, axis, shape);
        if (moved !== undefined) for (const output of node.outputs) open.push([output, moved]);
      }
    }
    return false;
  };
  return [...shape(value).keys()].filter((axis) => shape(value)[axis]! > 1 && isRepeated(value, axis));
}

type ShapeOf = (name: string) => readonly number[];

/** The same axis in the output of a node that only moves values. */
function movedTo({ op, attrs, outputs }: Node, value: string, axis: number, shape: ShapeOf): number | undefined {
  if (op === 'Transpose') return (attrs['perm'] as number[]).indexOf(axis);
  const [from, to] = [shape(value), shape(outputs[0]!)];
  if (op === 'Reshape') return alone(from, to, axis);
  if (op === 'GatherV2' && attrs['axis'] !== axis && attrs['batchDims'] === 0)
    return axis < (attrs['axis'] as number) ? axis : axis + to.length - from.length;
  const keeps = Object.hasOwn(elementwise, op) || op === 'Split' || op === 'Slice' || op === 'StridedSlice';
  return keeps && from.length === to.length && from[axis] === to[axis] ? axis : undefined;
}

/** The same axis in the output of a reshape that leaves it whole: as many values stand before it and behind it. */
function alone(from: readonly number[], to: readonly number[], axis: number): number | undefined {
  const before = product(from.slice(0, axis));
  const found = to.findIndex((size, i) => size === from[axis] && product(to.slice(0, i)) === before);
  return found < 0 ? undefined : found;
}
