import { int, ints } from '../../../../graph/ops/spec.ts';
import { zeroPadded } from './affine.ts';
import type { BlockedRule } from './context.ts';
import { window } from './phases.ts';

/** Channels side by side, as long as every part is whole blocks; or pixels or samples. */
const concat: BlockedRule = (node, b) => {
  const out = node.outputs[0]!;
  const axis = int(node.attrs, 'axis');
  const parts = node.inputs.map((name) => b.sizesOf(name));
  if (b.sizesOf(out) === undefined || !node.inputs.every((name) => b.has(name)) || (axis !== 3 && axis !== 0))
    return false;
  if (!parts.every((sizes) => sizes !== undefined && b.filled(sizes[3]) === sizes[3])) return false;
  const tensors = node.inputs.map((name) => b.get(name)!);
  b.define(out, b.c.one('Concat', tensors, { axis: axis === 3 ? 1 : 0 }));
  return true;
};

/** Zeros around the picture. */
const pad: BlockedRule = (node, b) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const amounts = ints(node.attrs, 'paddings');
  const sizes = b.sizesOf(x);
  const [n0, n1, top, bottom, left, right, c0, c1] = amounts;
  if (sizes === undefined || !b.has(x) || node.attrs.constantValue !== 0) return false;
  if ([n0, n1, c0, c1].some((amount) => amount !== 0)) return false;
  b.define(out, zeroPadded(b, b.get(x)!, b.filled(sizes[3]), [top!, left!, bottom!, right!]));
  return true;
};

/** A part of the picture, or some of the blocks of channels. */
const slice: BlockedRule = (node, b) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const [from, to] = [b.sizesOf(x), b.sizesOf(out)];
  const [n, top, left, channel] = ints(node.attrs, 'begin') as [number, number, number, number];
  if (from === undefined || to === undefined || !b.has(x) || n !== 0 || from[0] !== to[0]) return false;
  if (from[3] === to[3]) {
    const whole = [from[0], b.filled(from[3]), from[1], from[2]] as const;
    b.define(out, window(b, b.get(x)!, whole, [top, left], [to[1], to[2]]));
    return true;
  }
  const blocks = [channel, to[3], from[3]].every((count) => count % b.size === 0);
  if (!blocks || from[1] !== to[1] || from[2] !== to[2]) return false;
  b.define(out, b.c.one('Slice', [b.get(x)!, b.c.ints([channel]), b.c.ints([channel + to[3]]), b.c.ints([1])]));
  return true;
};

export const shapes: Readonly<Record<string, BlockedRule>> = { Concat: concat, Pad: pad, Slice: slice };
