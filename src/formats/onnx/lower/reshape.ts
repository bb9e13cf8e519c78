import { batchFactor, symbolicSize } from '../../../graph/shapes.ts';
import type { Dim, Graph, Shape } from '../../../graph/types.ts';
import type { OnnxBuilder } from './builder.ts';

/** Constant for ONNX' Reshape from one shape to another at every batch size: 0 copies a size, -1 infers one. Undefined if there is none. */
export function fixedReshape(from: Shape, to: Shape): number[] | undefined {
  if (to.every((dim) => typeof dim === 'number')) return [...to];
  if (symbolicSize(to).factor === 0) return undefined;
  const symbolic = to.flatMap((dim, i) => (typeof dim === 'number' ? [] : [i]));
  if (symbolic.length === 1) return to.map((dim) => (typeof dim === 'number' ? dim : -1));
  const inferred = symbolic.filter((i) => from[i] !== to[i]);
  if (inferred.length > 1) return undefined;
  return to.map((dim, i) => (typeof dim === 'number' ? dim : inferred.includes(i) ? -1 : 0));
}

/** The used parts of the lowering. */
interface Maker extends Pick<OnnxBuilder, 'one' | 'ints'> {
  readonly graph: Graph;
  once(key: string, build: () => string): string;
}

/** Current value of a symbolic dimension as a 1-D int64 tensor, from an input's shape. */
export function batchSize(c: Maker, dim: Dim): string {
  return c.once(`batch ${dim}`, () => {
    if (batchFactor(dim) !== 1) return c.one('Mul', [batchSize(c, 'batch'), c.ints([batchFactor(dim)])]);
    for (const [name, { shape }] of c.graph.inputs) {
      const axis = shape.findIndex((size) => typeof size !== 'number');
      if (axis < 0) continue;
      const size = c.one('Shape', [name], { start: axis, end: axis + 1 });
      const factor = batchFactor(shape[axis]!);
      return factor === 1 ? size : c.one('Div', [size, c.ints([factor])]);
    }
    throw new Error('no input has the batch axis');
  });
}
