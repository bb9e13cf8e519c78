import { UserError } from '../base/errors.ts';
import type { CommonConfig, NormalizeConfig } from './config.ts';
import { countOfElements, countOfPixels } from './dataset.ts';
import type { Normalization, Samples } from './dataset.ts';
import { normalized } from './normalized.ts';
import { areBytes, blocksOf } from './storage/sample-storage.ts';
import type { HeldSamples } from './storage/sample-storage.ts';
import type { InputPart } from './dataset.ts';

type Setting = CommonConfig<unknown>['normalize'];

/** Normalization that the recipe asks for; statistics are over `samples`, which must be train's. */
export function normalizationOf(setting: Setting, held: HeldSamples, shape: readonly number[]): Normalization {
  const channels = shape.at(-1)!;
  // Bytes in a table are counts or codes; bytes in samples with more axes are pixels.
  const eightBitImage = areBytes(held) && shape.length > 1;
  const scale = eightBitImage ? 1 / 255 : 1;
  const chosen = setting ?? (eightBitImage ? 'unit' : 'standard');
  if (chosen === 'none') return plain(1, channels);
  if (chosen === 'unit') return plain(1 / 255, channels);
  if (chosen === 'standard') return { scale, ...statistics(held, channels, scale) };
  return explicit(chosen, channels, scale);
}

/**
 * Normalization of samples with several inputs, for each number of the row: integers are unchanged, other inputs are normalized by their own
 * channels.
 */
export function normalizationOfParts(setting: Setting, samples: Samples, inputs: readonly InputPart[]): Normalization {
  const chosen = setting ?? 'standard';
  if (chosen !== 'standard' && chosen !== 'none')
    throw new UserError(
      `normalize: expected standard or none for samples of several inputs, received ${typeof chosen === 'string' ? chosen : 'mean and std'}`,
      'Numbers of an integer type are never normalized; prepare the others in the files.',
    );
  const row = inputs.reduce((sum, { shape }) => sum + countOfElements(shape), 0);
  const each = inputs.map(({ shape, from, isWhole }) => {
    const size = countOfElements(shape);
    const [channels, pixels] = [shape.at(-1)!, size / shape.at(-1)!];
    if (isWhole || chosen === 'none') return plain(1, size);
    const channelValues = new Float32Array((samples.length / row) * size);
    for (let at = 0, to = 0; at < samples.length; at += row, to += size)
      channelValues.set(samples.subarray(at + from, at + from + size), to);
    const { mean, std } = statistics({ samples: channelValues }, channels, 1);
    const tiled = (values: number[]): number[] => Array.from({ length: pixels }, () => values).flat();
    return { mean: tiled(mean), std: tiled(std) };
  });
  return { scale: 1, mean: each.flatMap(({ mean }) => mean), std: each.flatMap(({ std }) => std) };
}

function plain(scale: number, channels: number): Normalization {
  return { scale, mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) };
}

function explicit({ mean, std, scale }: NormalizeConfig, channels: number, defaultScale: number): Normalization {
  const perChannel = (key: string, value: number | readonly number[]): readonly number[] => {
    const values = typeof value === 'number' ? new Array<number>(channels).fill(value) : value;
    if (values.length !== channels) {
      throw new UserError(
        `normalize.${key}: ${values.length} values for ${channels} channels`,
        'Give one number for all channels, or one per channel.',
      );
    }
    return values;
  };
  const result = { scale: scale ?? defaultScale, mean: perChannel('mean', mean), std: perChannel('std', std) };
  if (!result.std.every((value) => value > 0)) {
    throw new UserError(
      `normalize.std: expected numbers > 0, received [${result.std.join(', ')}]`,
      'The samples are divided by it.',
    );
  }
  return result;
}

/** Samples [..., channels] with their channels first, [channels, ...], and their values unchanged. */
export function channelsFirst(values: ArrayLike<number>, sampleShape: readonly number[]): Float32Array {
  return normalized(values, plain(1, sampleShape.at(-1)!), countOfPixels(sampleShape));
}

/** Mean and standard deviation per channel of `samples · scale`; a constant channel gets deviation 1. */
function statistics(held: HeldSamples, channels: number, scale: number): { mean: number[]; std: number[] } {
  let length = 0;
  const sums = new Float64Array(channels);
  for (const values of blocksOf(held)) {
    for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) sums[c]! += values[i]!;
    length += values.length;
  }
  const count = length / channels;
  const means = sums.map((sum) => sum / count);
  // Two passes: a sum of squares loses all digits if the mean is much larger than the deviation.
  const squares = new Float64Array(channels);
  for (const values of blocksOf(held)) {
    for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
      squares[c]! += (values[i]! - means[c]!) ** 2;
    }
  }
  const std = Array.from(squares, (sum, c) => {
    const deviation = Math.sqrt(sum / count);
    return deviation > 1e-7 * Math.abs(means[c]!) ? deviation * scale : 1;
  });
  return { mean: Array.from(means, (mean) => mean * scale), std };
}

/** Normalized float32 of every 8-bit value: `table[c * 256 + value]`. A look-up per pixel is about three times as fast as the arithmetic. */
export function byteTable(normalization: Normalization): Float32Array {
  const channels = normalization.mean.length;
  const bytes = Array.from({ length: 256 * channels }, (_, i) => Math.floor(i / channels));
  return normalized(bytes, normalization, 256);
}
