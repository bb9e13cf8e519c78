import { staticSize } from '../../../../graph/shapes.ts';
import type { Blocked, BlockedRule, Centred, PictureSizes } from './context.ts';
import { scaleAndShift, affineOf } from './affine.ts';
import { define, epilogueInputs, statistics, withSum } from './epilogue.ts';
import type { Epilogue } from './epilogue.ts';
import { channelMeans, channelProducts, channelSums } from './sums.ts';

/** Batch norm with given statistics where no convolution before it could take it along. */
export const fusedBatchNorm: BlockedRule = (node, b) => {
  const x = node.inputs[0]!;
  if (!b.has(x) || b.sizesOf(x) === undefined || !statistics(b, node)) return false;
  const epilogue = withSum(b, { out: node.outputs[0]! });
  const { scale, shift } = affineOf(b, node);
  const more = epilogueInputs(b, epilogue, undefined);
  define(b, epilogue, scaleAndShift(b, b.get(x)!, b.filled(b.sizesOf(x)![3]), scale, shift, extra(more)));
  return true;
};

/** The epilogue's inputs behind the bias. */
function extra({ inputs, attrs }: ReturnType<typeof epilogueInputs>): Parameters<typeof scaleAndShift>[5] {
  return { inputs: inputs.slice(1), attrs };
}

interface Moments {
  /** x less a number for each channel, in blocks. */
  readonly tensor: string;
  /** Mean of `tensor` where it is not 0, and the variance of x: vectors over whole blocks. */
  readonly rest: string | undefined;
  readonly variance: string;
  /** Mean of x. */
  readonly mean: string;
}

/**
 * The variance is taken of x - mean: E[x²] - mean² would lose digits where the mean is large against the deviation. Where x lies
 * less the mean of some of its own values that is E[x²] - mean², as these are off by eleven deviations at most (Chan, Golub &
 * LeVeque 1983, "shifted data"), and spares a pass that writes x - mean.
 */
function momentsOf(b: Blocked, x: string): Moments {
  const { c } = b;
  const sizes = b.sizesOf(x)!;
  const share = c.scalar('float32', 1 / (sizes[0] * sizes[1] * sizes[2]));
  const shifted = b.shifted.get(x);
  if (shifted !== undefined) {
    const { tensor, offset } = shifted;
    const rest = channelMeans(b, tensor);
    const squares = c.one('Mul', [channelProducts(b, tensor, tensor, sizes), share]);
    const variance = c.one('Relu', [c.one('Sub', [squares, c.one('Mul', [rest, rest])])]);
    return { tensor, rest, variance, mean: c.one('Add', [rest, offset]) };
  }
  const channels = b.filled(sizes[3]);
  const mean = b.sums.has(x) ? c.one('Mul', [channelSums(b, x), share]) : channelMeans(b, b.get(x)!);
  const tensor = scaleAndShift(b, b.get(x)!, channels, b.constant([channels], 1), c.one('Neg', [mean]));
  const variance = c.one('Mul', [channelProducts(b, tensor, tensor, sizes), share]);
  return { tensor, rest: undefined, variance, mean };
}

/** Batch norm with the batch's own statistics. */
export const batchNormTrain: BlockedRule = (node, b) => {
  const [x, gamma, beta] = node.inputs as [string, string, string];
  const [y, meanOut, varianceOut, inverseOut] = node.outputs as [string, string, string, string];
  if (!b.has(x)) return false;
  const { c } = b;
  const depth = b.sizesOf(x)![3];
  const { tensor, rest, variance, mean } = momentsOf(b, x);
  b.centred.set(x, { tensor, rest });
  const epsilon = c.scalar('float32', node.attrs.epsilon as number);
  const inverse = c.one('Reciprocal', [c.one('Sqrt', [c.one('Add', [variance, epsilon])])]);
  const scale = c.one('Mul', [inverse, b.filledVector(c.plain(gamma), depth)]);
  const offset = b.filledVector(c.plain(beta), depth);
  const shift = rest === undefined ? offset : c.one('Sub', [offset, c.one('Mul', [rest, scale])]);
  const epilogue = withSum(b, { out: y });
  define(b, epilogue, normalized(b, tensor, b.filled(depth), scale, shift, epilogue));
  c.define(meanOut, b.cutVector(mean, depth));
  c.define(varianceOut, b.cutVector(variance, depth));
  c.define(inverseOut, b.cutVector(inverse, depth));
  return true;
};

/**
 * A convolution adds to its sum in place, and copies it first, on one thread, where somebody reads it later. So such a sum is
 * what a second convolution goes over, and the result of the first is added.
 */
function normalized(
  b: Blocked,
  tensor: string,
  channels: number,
  scale: string,
  shift: string,
  epilogue: Epilogue,
): string {
  const { sum } = epilogue;
  const more = extra(epilogueInputs(b, epilogue, undefined));
  if (sum === undefined || isReadOnce(b, sum)) return scaleAndShift(b, tensor, channels, scale, shift, more);
  const inputs = [scaleAndShift(b, tensor, channels, scale, shift)];
  return scaleAndShift(b, b.get(sum)!, channels, b.constant([channels], 1), undefined, { ...more, inputs });
}

function isReadOnce(b: Blocked, value: string): boolean {
  return b.c.consumersOf(value).length === 1 && !b.c.isResult(value);
}

/**
 * dx = scale · r · (dy - mean(dy) - x̂ · mean(dy · x̂)). One pass over x̂ that adds up on dy gives it but for scale · r, which the
 * gradients of the convolution before take along in their filters.
 */
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
  const { tensor, rest } = b.centred.get(x) ?? recentred(b, x, mean);
  const dOffset = channelSums(b, dy);
  const products = channelProducts(b, gradient, tensor, sizes);
  const about = rest === undefined ? products : c.one('Sub', [products, c.one('Mul', [rest, dOffset])]);
  const dScale = c.one('Mul', [r, about]);
  const factor = c.one('Mul', [b.filledVector(c.plain(gamma), depth), r]);
  const share = c.scalar('float32', -1 / (n * h * w));
  const slope = c.one('Mul', [c.one('Mul', [share, r]), dScale]);
  const moved = c.one('Mul', [share, dOffset]);
  const shift = rest === undefined ? moved : c.one('Sub', [moved, c.one('Mul', [slope, rest])]);
  if (isReadOnce(b, dy) && isScalable(b, dx, sizes)) {
    const scaled = { tensor: scaleAndShift(b, tensor, channels, slope, shift, { inputs: [gradient] }), factor };
    b.defineScaled(dx, scaled, () => scaleAndShift(b, scaled.tensor, channels, factor));
  } else {
    const toward = scaleAndShift(b, tensor, channels, c.one('Mul', [slope, factor]), c.one('Mul', [shift, factor]));
    b.define(dx, scaleAndShift(b, gradient, channels, factor, undefined, { inputs: [toward] }));
  }
  c.define(dScaleOut, b.cutVector(dScale, depth));
  c.define(dOffsetOut, b.cutVector(dOffset, depth));
  return true;
};

/** Ops with a filter that can take along a factor of each channel of their gradient, and the input that this is. */
const TAKES_FACTOR: Readonly<Record<string, number>> = {
  Conv2DBackpropInput: 0,
  Conv2DBackpropFilter: 1,
  DepthwiseConv2dNativeBackpropInput: 0,
  DepthwiseConv2dNativeBackpropFilter: 1,
};

/** True if all that read a gradient have filters, and these are together no larger than the gradient. */
function isScalable(b: Blocked, gradient: string, [n, h, w, depth]: PictureSizes): boolean {
  const readers = b.c.consumersOf(gradient);
  const filters = readers.map(({ op, inputs, outputs }) => {
    const place = TAKES_FACTOR[op];
    if (place === undefined || inputs[place] !== gradient || inputs[1 - place] === gradient) return Infinity;
    return staticSize(b.c.shapeOf(place === 0 ? inputs[1]! : outputs[0]!));
  });
  return !b.c.isResult(gradient) && filters.reduce((sum, size) => sum + size, 0) <= n * h * w * depth;
}

function recentred(b: Blocked, x: string, mean: string): Centred {
  const depth = b.sizesOf(x)![3];
  const channels = b.filled(depth);
  const shift = b.filledVector(b.c.one('Neg', [b.c.plain(mean)]), depth);
  return { tensor: scaleAndShift(b, b.get(x)!, channels, b.constant([channels], 1), shift), rest: undefined };
}
