import { UserError } from '../../base/errors.ts';
import { faultOfArrays } from '../../base/process/memory.ts';
import { greatestCommonDivisor } from '../../base/numbers.ts';
import { polyphase } from './polyphase.ts';
import type { Sound } from './wav.ts';

/** Maximum numerator and denominator of a ratio of rates: the filter has 20 times as many values. */
const MOST = 20_000;
/** Maximum ratio of rates: a larger one means a wrong rate in the header. */
const FURTHEST = 500;

/**
 * Resamples a sound, see `polyphase`, to ceil(length · rate / from) values, or at most `most` in their middle. `UserError` for rates with too small a
 * common divisor, such as 44,101 and 16,000, and for rates that are too far apart.
 */
export function resampled(
  { where = 'the sound', rate: from, values }: Sound,
  rate: number,
  most = Infinity,
): Float32Array {
  if (from === rate) {
    const start = Math.max(0, values.length - most) >> 1;
    return values.subarray(start, start + Math.min(values.length, most));
  }
  if (from > FURTHEST * rate || rate > FURTHEST * from)
    throw new UserError(
      `${where}: a rate of ${from} values a second, expected one nearer to ${rate}, that of the data`,
      `Write the true rate into its header, e.g. with \`ffmpeg -i in.wav -af asetrate=${rate} out.wav\`, or change dataset.rate.`,
    );
  const divisor = greatestCommonDivisor(from, rate);
  const [up, down] = [rate / divisor, from / divisor];
  if (Math.max(up, down) > MOST)
    throw new UserError(
      `${where}: a rate of ${from} values a second cannot be brought to ${rate}: they have no large common divisor`,
      `Bring it to another rate, e.g. with \`ffmpeg -i in.wav -ar ${rate} out.wav\`.`,
    );
  const fault = faultOfArrays([{ values: Math.min(most, Math.ceil((values.length * up) / down)), bytesEach: 4 }]);
  if (fault !== undefined)
    throw new UserError(
      `${where}: its values at a rate of ${rate} instead of ${from} ${fault}`,
      'Cut it into shorter sounds.',
    );
  return polyphase(values, up, down, most);
}
