import { UserError } from '../base/errors.ts';
import { clipLength } from '../data/clip.ts';
import { framesOf } from '../networks/mel.ts';
import type { LogMel } from '../networks/mel.ts';
import type { Recipe } from '../recipe/schema.ts';

/** The front-end for the sounds of a recipe; undefined for other data. `UserError` for keys that do not fit each other. */
export function soundOf(dataset: Recipe['dataset']): LogMel | undefined {
  if (dataset.type !== 'audio-folder') return undefined;
  const { rate, seconds, features } = dataset;
  const { mels, low, high = rate / 2, coefficients } = features;
  const [window, hop] = [Math.round(features.window * rate), Math.round(features.hop * rate)];
  const sound = { rate, length: clipLength({ rate, seconds }), window, hop, mels, low, high, coefficients };
  if (window < 2 || hop < 1 || framesOf(sound) < 1)
    throw new UserError(
      `dataset.features: a frame of ${window} values, one every ${hop}, does not fit into a sound of ${sound.length}`,
      'Change window and hop, or dataset.seconds.',
    );
  if (low >= high || high > rate / 2)
    throw new UserError(
      `dataset.features: expected low < high ≤ ${rate / 2} hertz (half of the rate), received ${low} and ${high}`,
      'Change them, or dataset.rate.',
    );
  if (coefficients !== undefined && coefficients > mels)
    throw new UserError(
      `dataset.features.coefficients: expected at most as many as mels, ${mels}, received ${coefficients}`,
      'Ask for fewer, or for more mels.',
    );
  return sound;
}
