import { isStatic } from '../../../graph/shapes.ts';
import type { Import } from './context.ts';

/** [n, c, h, w] as [n, h, w, c], or [n, c, l] as [n, 1, l, c]. */
export function imageOf(c: Import, name: string): string {
  const shape = c.shapeOf(name);
  if (shape.length !== 3) return c.nhwc(name);
  const rows = c.op('Transpose', [c.plain(name)], { perm: [0, 2, 1] });
  return c.op('Reshape', [rows], { shape: [shape[0]!, 1, shape[2]!, shape[1]!] });
}

/** Defines the tensor `name` as `value`, computed from `imageOf` of a tensor with `rank` axes. */
export function defineImage(c: Import, name: string, value: string, rank: number): void {
  if (rank !== 3) {
    c.defineNhwc(name, value);
    return;
  }
  const [n, , length, channels] = c.builder.typeOf(value).shape;
  const rows = c.op('Reshape', [value], { shape: [n!, length!, channels!] });
  c.define(name, { plain: c.op('Transpose', [rows], { perm: [0, 2, 1] }) });
}

/** Height and width of a tensor [n, c, h, w]; 1 and the length of [n, c, l]. */
export function spatialOf(c: Import, name: string): number[] {
  const shape = c.shapeOf(name);
  if (shape.length !== 3 && shape.length !== 4)
    c.fail(`expected a tensor [n, c, h, w] or [n, c, l], received [${shape.join(', ')}]`);
  const size = shape.slice(2);
  if (!isStatic(size)) return c.fail(`it slides over the batch, received [${shape.join(', ')}]`);
  return size.length === 1 ? [1, size[0]!] : [...size];
}
