import type { ShortAttr } from '../../attribute.ts';
import { scaleAndShift } from './affine.ts';
import type { Blocked, PictureSizes } from './context.ts';
import type { Epilogue } from './epilogue.ts';
import { channelMeans } from './sums.ts';

/** A convolution, whose output only a batch norm may read. */
interface Convolution {
  readonly input: string;
  /** False for an image that lies [batch, channels, height, width]. */
  readonly blocked: boolean;
  /** Of the input. */
  readonly sizes: PictureSizes;
  readonly filter: () => string;
  /** Products for a value of the output. */
  readonly products: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly attrs: Readonly<Record<string, ShortAttr>>;
}

/** Part of the output that is computed twice. */
const SHARE = 1 / 128;
/** Fewer values than this take less time than the nodes that would spare a pass over them. */
const FEWEST = 1 << 18;
/** With more products for a value, computing some of them twice takes longer than a pass over all. */
const MOST_PRODUCTS = 9 * 128;

/**
 * Defines the result of a convolution less what it is on some rows of some samples in the mean: a batch norm reads it, which takes the mean off
 * anyway, and gets the variance in one pass. The mean of a share s of all values is off by 1/√s deviations at most, whatever the values, which
 * costs three digits of seven at worst. False, and nothing is done, where that would spare no time.
 */
export function defineShifted(b: Blocked, epilogue: Epilogue, conv: Convolution): boolean {
  const sizes = b.sizesOf(epilogue.out)!;
  const [n, h, w, depth] = sizes;
  const channels = b.filled(depth);
  if (n * h * w * channels < FEWEST || conv.products > MOST_PRODUCTS || !isNormed(b, epilogue)) return false;
  const mean = pilot(b, conv, sizes);
  if (mean === undefined) return false;
  const bias = epilogue.bias === undefined ? undefined : b.filledVector(b.c.plain(epilogue.bias), depth);
  const tensor = convolved(b, conv, conv.input, conv.pads, b.c.one('Neg', [mean]));
  const offset = bias === undefined ? mean : b.c.one('Add', [mean, bias]);
  for (const value of epilogue.through) b.absorbed.add(value);
  b.shifted.set(epilogue.out, { tensor, offset });
  b.defineLater(epilogue.out, () => scaleAndShift(b, tensor, channels, b.constant([channels], 1), offset));
  return true;
}

/** True if nobody reads the result but a batch norm and its gradient. */
function isNormed(b: Blocked, { out, norm, sum, activation }: Epilogue): boolean {
  if (norm !== undefined || sum !== undefined || activation !== undefined || b.c.isResult(out)) return false;
  const readers = b.c.consumersOf(out);
  return (
    readers.some(({ op }) => op === 'BatchNormTrain') &&
    readers.every(({ op, inputs }) => {
      const place = op === 'BatchNormTrain' ? 0 : op === 'BatchNormTrainGrad' ? 1 : undefined;
      return place !== undefined && inputs.every((name, i) => (name === out) === (i === place));
    })
  );
}

/**
 * Mean over rows in the middle of samples at even distances: a vector over whole blocks. Neighbouring rows of one sample, or rows at an edge,
 * would say less about all of them. Undefined where these lie in the padding.
 */
function pilot(b: Blocked, conv: Convolution, [n, h]: PictureSizes): string | undefined {
  const { input, blocked, sizes, pads, kernel, strides, dilations } = conv;
  const [, height, width, channels] = sizes;
  const all = Math.max(1, Math.round(n * h * SHARE));
  const step = Math.floor(n / Math.min(n, all));
  const samples = Math.ceil(n / step);
  const rows = Math.max(1, Math.round(all / samples));
  const first = Math.floor((h - rows) / 2) * strides[0] - pads[0]!;
  const end = first + (rows - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1;
  const [top, bottom] = [Math.max(0, first), Math.min(height, end)];
  if (bottom <= top) return undefined;
  const lying = blocked ? b.reshape(input, [n, b.filled(channels) / b.size, height, width * b.size]) : input;
  const window = [
    [0, top],
    [n, bottom],
    [0, 2],
    [step, 1],
  ].map((values) => b.c.ints(values));
  const cut = b.c.one('Slice', [lying, ...window]);
  const part = blocked ? b.reshape(cut, [samples, b.filled(channels), bottom - top, width]) : cut;
  const result = convolved(b, conv, part, [top - first, pads[1]!, end - bottom, pads[3]!], undefined);
  return channelMeans(b, result);
}

function convolved(
  b: Blocked,
  { filter, kernel, strides, dilations, attrs }: Convolution,
  input: string,
  pads: readonly number[],
  bias: string | undefined,
): string {
  const inputs = [input, filter(), ...(bias === undefined ? [] : [bias])];
  return b.nchwc('Conv', inputs, { kernel_shape: kernel, strides, dilations, pads, ...attrs });
}
