import { flag, ints } from '../../../../graph/ops/spec.ts';
import type { Node } from '../../../../graph/types.ts';
import type { Blocked, BlockedRule } from './context.ts';
import { channelSums, pixelMeans } from './sums.ts';

/** Sums and means over pixels, or over pixels and samples. */
const overPixels =
  (kind: 'Sum' | 'Mean'): BlockedRule =>
  (node, b) => {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    const axes = ints(node.attrs, 'axes').join();
    if (!b.has(x) || (axes !== '1,2' && axes !== '0,1,2')) return false;
    const [n, h, w, channels] = b.sizesOf(x)!;
    const sum = kind === 'Sum';
    const tensor =
      axes === '1,2'
        ? scaled(b, cut(b, pixelMeans(b, b.get(x)!, n, channels), channels), sum ? h * w : 1)
        : scaled(b, b.cutVector(channelSums(b, x), channels), sum ? 1 : 1 / (n * h * w));
    const shape = axes === '1,2' ? [n, channels] : [channels];
    const kept = axes === '1,2' ? [n, 1, 1, channels] : [1, 1, 1, channels];
    b.c.define(out, flag(node.attrs, 'keepDims') ? b.c.reshape(tensor, shape, kept) : tensor);
    return true;
  };

function scaled(b: Blocked, tensor: string, factor: number): string {
  return factor === 1 ? tensor : b.c.one('Mul', [tensor, b.c.scalar('float32', factor)]);
}

function cut(b: Blocked, matrix: string, channels: number): string {
  if (b.filled(channels) === channels) return matrix;
  return b.c.one('Slice', [matrix, b.c.ints([0]), b.c.ints([channels]), b.c.ints([1])]);
}

/** One number per sample and channel over all pixels: the gradient of a mean over them. */
const broadcastTo: BlockedRule = (node, b) => {
  const [x, out] = [node.inputs[0]!, node.outputs[0]!];
  const to = b.sizesOf(out);
  if (to === undefined || b.c.shapeOf(x).join() !== [to[0], 1, 1, to[3]].join() || !feedsBlocks(node, b)) return false;
  b.define(out, b.nchwc('Upsample', [b.get(x)!], { scales: [1, 1, to[1], to[2]] }));
  return true;
};

/** True if a value in blocks meets a value that is broadcast. */
function feedsBlocks({ outputs }: Node, b: Blocked): boolean {
  return b.c.consumersOf(outputs[0]!).some(({ inputs }) => inputs.some((name) => b.has(name)));
}

/** The largest or smallest of all elements: their order does not matter, only what fills up the last block does. */
const extreme =
  (op: 'ReduceMax' | 'ReduceMin'): BlockedRule =>
  (node, b) => {
    const [x, out] = [node.inputs[0]!, node.outputs[0]!];
    if (!b.has(x) || ints(node.attrs, 'axes').length !== 4 || flag(node.attrs, 'keepDims')) return false;
    const channels = b.sizesOf(x)![3];
    if (b.filled(channels) !== channels) return false;
    b.c.define(out, b.c.reduce(op, b.get(x)!, [0, 1, 2, 3], false));
    return true;
  };

export const reductions: Readonly<Record<string, BlockedRule>> = {
  Max: extreme('ReduceMax'),
  Min: extreme('ReduceMin'),
  Sum: overPixels('Sum'),
  Mean: overPixels('Mean'),
  BroadcastTo: broadcastTo,
};
