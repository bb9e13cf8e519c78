import type { Attr } from '../builder.ts';
import { affine } from './affine.ts';
import type { Blocked, Sizes } from './context.ts';
import type { Epilogue } from './epilogue.ts';
import { window } from './phases.ts';

/** A convolution, whose output only a batch norm may read. */
interface Convolution {
  readonly input: string;
  /** False for an image that lies [batch, channels, height, width]. */
  readonly blocked: boolean;
  /** Of the input. */
  readonly sizes: Sizes;
  readonly filter: () => string;
  /** Products for a value of the output. */
  readonly products: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly number[];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly attrs: Readonly<Record<string, Attr>>;
}

/** Part of the output that is computed twice, but for whole samples. */
const SHARE = 1 / 128;
/** Fewer values than this take less time than the nodes that would spare a pass over them. */
const FEWEST = 1 << 18;
/** With more products for a value, computing some of them twice takes longer than a pass over all. */
const MOST_PRODUCTS = 9 * 128;

/**
 * Defines the result of a convolution less what it is on the first rows of the first sample, or on the first samples, in the mean: a batch norm
 * reads it, which takes the mean off anyway, and gets the variance in one pass. The mean of a share s of all values is off by 1/√s deviations at
 * most, whatever the values, which costs three digits of seven at worst. False, and nothing is done, where that would spare no time.
 */
export function defineShifted(b: Blocked, epilogue: Epilogue, conv: Convolution): boolean {
  const sizes = b.sizesOf(epilogue.out)!;
  const [n, h, w, depth] = sizes;
  const channels = b.filled(depth);
  if (n * h * w * channels < FEWEST || conv.products > MOST_PRODUCTS || !isNormed(b, epilogue)) return false;
  const mean = pilot(b, conv, sizes);
  const bias = epilogue.bias === undefined ? undefined : b.filledVector(b.c.plain(epilogue.bias), depth);
  const tensor = convolved(b, conv, conv.input, conv.pads, b.c.one('Neg', [mean]));
  const offset = bias === undefined ? mean : b.c.one('Add', [mean, bias]);
  for (const value of epilogue.through) b.absorbed.add(value);
  b.shifted.set(epilogue.out, { tensor, offset });
  b.defineLater(epilogue.out, () => affine(b, tensor, channels, b.constant([channels], 1), offset));
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

/** Mean over the first rows of the first sample, or over the first samples: a vector over whole blocks. */
function pilot(b: Blocked, conv: Convolution, [n, h, , depth]: Sizes): string {
  const { input, blocked, sizes, pads, kernel, strides, dilations } = conv;
  const [, height, width, channels] = sizes;
  const rows = Math.max(1, Math.round(n * h * SHARE));
  const reached = (rows - 1) * strides[0] + (kernel[0] - 1) * dilations[0] + 1 - pads[0]!;
  const whole = rows >= h || reached >= height || reached < 1;
  const taken = whole ? height : reached;
  const samples = whole ? Math.max(1, Math.ceil(n * SHARE)) : 1;
  const slice = (ends: readonly number[], axes: readonly number[]): string =>
    b.c.one('Slice', [input, b.c.ints(axes.map(() => 0)), b.c.ints(ends), b.c.ints(axes)]);
  const filled = b.filled(channels);
  const part = !blocked
    ? slice([samples, taken], [0, 2])
    : whole
      ? slice([samples], [0])
      : window(b, slice([1], [0]), [1, filled, height, width], [0, 0], [taken, width]);
  const result = convolved(b, conv, part, whole ? pads : [pads[0]!, pads[1]!, 0, pads[3]!], undefined);
  const means = b.nchwc('GlobalAveragePool', [result]);
  if (samples === 1) return b.reshape(means, [b.filled(depth)]);
  const each = b.reshape(means, [samples, b.filled(depth)]);
  const sum = b.c.one('ReduceSum', [each, b.c.ints([0])], { keepdims: 0 });
  return b.c.one('Mul', [sum, b.c.scalar('float32', 1 / samples)]);
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
