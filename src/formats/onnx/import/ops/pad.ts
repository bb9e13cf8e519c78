import type { OnnxNode } from '../../model.ts';
import { attr, axisOf, floatAttr, intsAttr } from '../attrs.ts';
import { FIXED_BATCH } from '../hints.ts';
import type { Import, Importer } from '../context.ts';
import { gathered } from './resize.ts';
import { nhwcAxis } from './shape.ts';

/** Padding before and after each axis, in the value's layout; negative amounts crop. */
function amounts(node: OnnxNode, c: Import, rank: number, last: boolean): { before: number[]; after: number[] } {
  const [, given = '', , axes = ''] = node.inputs as [string, string?, string?, string?];
  const name = c.opset < 2 ? 'paddings' : 'pads';
  const pads = given === '' ? (intsAttr(node, c, name) ?? c.fail('it names no pads')) : c.ints(given, 'pads');
  const all = Array.from({ length: rank }, (_, i) => i);
  const over = axes === '' ? all : c.ints(axes, 'axes').map((axis) => axisOf(axis, rank, c));
  if (pads.length !== 2 * over.length) c.fail(`it names ${pads.length} pads for ${over.length} axes`);
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  over.forEach((axis, i) => {
    const at = last ? nhwcAxis(axis) : axis;
    before[at] = pads[i]!;
    after[at] = pads[i + over.length]!;
  });
  return { before, after };
}

/** Source index for each position along an axis padded by edge values, reflection or repetition. */
function continued(mode: string, size: number, before: number, after: number): number[] {
  const period = mode === 'wrap' ? size : Math.max(1, 2 * (size - 1));
  return Array.from({ length: before + size + after }, (_, i) => {
    const at = i - before;
    if (mode === 'edge') return Math.max(0, Math.min(size - 1, at));
    const place = ((at % period) + period) % period;
    return place < size ? place : period - place;
  });
}

const pad: Importer = (node, c) => {
  const [x, , value = ''] = node.inputs as [string, string?, string?];
  const mode = attr(node, c, 'mode', 'string') ?? 'constant';
  if (!['constant', 'reflect', 'edge', 'wrap'].includes(mode))
    c.fail(`its attribute mode is ${mode}, expected constant, reflect, edge or wrap`);
  const last = c.liesChannelsLast(x);
  const rank = c.shapeOf(x).length;
  const { before, after } = amounts(node, c, rank, last);
  const constantValue = c.opset < 11 ? floatAttr(node, c, 'value', 0) : value === '' ? 0 : c.number(value, 'value');
  let y = last ? c.nhwc(x) : c.plain(x);
  if ([...before, ...after].some((amount) => amount < 0)) y = cut(c, y, before, after);
  const paddings = before.flatMap((amount, i) => [Math.max(0, amount), Math.max(0, after[i]!)]);
  if (mode === 'constant') y = c.op('Pad', [y], { paddings, constantValue });
  else if (mode === 'reflect' && isWithin(c, y, paddings)) y = c.op('MirrorPad', [y], { paddings, mode });
  else {
    for (let axis = 0; axis < rank; axis++) {
      const [first, second] = [paddings[2 * axis]!, paddings[2 * axis + 1]!];
      const size = c.builder.typeOf(y).shape[axis]!;
      if (first + second === 0) continue;
      if (typeof size !== 'number' || size === 0) return c.fail(`it continues an axis of size ${size}`);
      y = gathered(c, y, axis, continued(mode, size, first, second));
    }
  }
  c.define(node.outputs[0]!, last ? { nhwc: y } : { plain: y });
};

/** True if a single reflection suffices. */
function isWithin(c: Import, value: string, paddings: readonly number[]): boolean {
  const { shape } = c.builder.typeOf(value);
  return paddings.every((amount, i) => amount === 0 || amount < Number(shape[Math.floor(i / 2)]));
}

function cut(c: Import, value: string, before: readonly number[], after: readonly number[]): string {
  const { shape } = c.builder.typeOf(value);
  const begin = before.map((amount) => Math.max(0, -amount));
  const size = shape.map((dim, i) => {
    if (typeof dim === 'number') return dim - begin[i]! - Math.max(0, -after[i]!);
    return before[i]! < 0 || after[i]! < 0 ? c.fail('it cuts the batch', FIXED_BATCH) : -1;
  });
  if (size.some((dim) => dim < -1)) c.fail('it cuts away more than there is');
  return c.op('Slice', [value], { begin, size });
}

export const padImporters: Readonly<Record<string, Importer>> = { Pad: pad };
