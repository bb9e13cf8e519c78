import type { Blocked, BlockedRule } from './context.ts';
import { affine, affineOf } from './affine.ts';
import { define, epilogueInputs, statistics, withSum } from './epilogue.ts';
import { channelProducts, channelSums } from './sums.ts';

/** Batch norm with given statistics where no convolution before it could take it along. */
export const fusedBatchNorm: BlockedRule = (node, b) => {
  const x = node.inputs[0]!;
  if (!b.has(x) || b.sizesOf(x) === undefined || !statistics(b, node)) return false;
  const epilogue = withSum(b, { out: node.outputs[0]! });
  const { scale, shift } = affineOf(b, node);
  const more = epilogueInputs(b, epilogue, undefined);
  define(b, epilogue, affine(b, b.get(x)!, b.filled(b.sizesOf(x)![3]), scale, shift, extra(more)));
  return true;
};

/** The epilogue's inputs behind the bias. */
function extra({ inputs, attrs }: ReturnType<typeof epilogueInputs>): Parameters<typeof affine>[5] {
  return { inputs: inputs.slice(1), attrs };
}

/**
 * Batch norm with the batch's own statistics. The variance is taken of x - mean: E[x²] - mean² would lose digits where the
 * mean is large against the deviation.
 */
export const batchNormTrain: BlockedRule = (node, b) => {
  const [x, gamma, beta] = node.inputs as [string, string, string];
  const [y, meanOut, varianceOut, inverseOut] = node.outputs as [string, string, string, string];
  if (!b.has(x)) return false;
  const { c } = b;
  const sizes = b.sizesOf(x)!;
  const [n, h, w, depth] = sizes;
  const channels = b.filled(depth);
  const share = c.scalar('float32', 1 / (n * h * w));
  const mean = c.one('Mul', [channelSums(b, x), share]);
  const ones = b.constant([channels], 1);
  const centred = affine(b, b.get(x)!, channels, ones, c.one('Neg', [mean]));
  b.centred.set(x, centred);
  const variance = c.one('Mul', [channelProducts(b, centred, centred, sizes), share]);
  const epsilon = c.scalar('float32', node.attrs.epsilon as number);
  const inverse = c.one('Reciprocal', [c.one('Sqrt', [c.one('Add', [variance, epsilon])])]);
  const scale = c.one('Mul', [inverse, b.filledVector(c.plain(gamma), depth)]);
  const epilogue = withSum(b, { out: y });
  const shift = b.filledVector(c.plain(beta), depth);
  define(b, epilogue, affine(b, centred, channels, scale, shift, extra(epilogueInputs(b, epilogue, undefined))));
  c.define(meanOut, b.cutVector(mean, depth));
  c.define(varianceOut, b.cutVector(variance, depth));
  c.define(inverseOut, b.cutVector(inverse, depth));
  return true;
};

/** dx = scale · r · (dy - mean(dy) - x̂ · mean(dy · x̂)) in two affine passes, the second adding up on the first. */
export const batchNormTrainGrad: BlockedRule = (node, b) => {
  const [dy, x, gamma, mean, inverse] = node.inputs as [string, string, string, string, string];
  const [dx, dScaleOut, dOffsetOut] = node.outputs as [string, string, string];
  if (!b.has(x) || b.sizesOf(dy) === undefined) return false;
  const { c } = b;
  const sizes = b.sizesOf(x)!;
  const [n, h, w, depth] = sizes;
  const channels = b.filled(depth);
  const gradient = b.get(dy)!;
  const r = b.filledVector(c.plain(inverse), depth);
  const centred = b.centred.get(x) ?? recentred(b, x, mean);
  const dOffset = channelSums(b, dy);
  const dScale = c.one('Mul', [r, channelProducts(b, gradient, centred, sizes)]);
  const factor = c.one('Mul', [b.filledVector(c.plain(gamma), depth), r]);
  const share = c.one('Mul', [factor, c.scalar('float32', -1 / (n * h * w))]);
  const slope = c.one('Mul', [c.one('Mul', [share, r]), dScale]);
  const toward = affine(b, centred, channels, slope, c.one('Mul', [share, dOffset]));
  b.define(dx, affine(b, gradient, channels, factor, undefined, { inputs: [toward] }));
  c.define(dScaleOut, b.cutVector(dScale, depth));
  c.define(dOffsetOut, b.cutVector(dOffset, depth));
  return true;
};

function recentred(b: Blocked, x: string, mean: string): string {
  const depth = b.sizesOf(x)![3];
  const channels = b.filled(depth);
  const shift = b.filledVector(b.c.one('Neg', [b.c.plain(mean)]), depth);
  return affine(b, b.get(x)!, channels, b.constant([channels], 1), shift);
}
