import { UserError } from '../base/errors.ts';
import { clipLength } from '../data/sounds/clip.ts';
import { framesOf } from '../networks/sound/mel.ts';
import type { LogMel } from '../networks/sound/mel.ts';
import type { SpecAugment } from '../networks/sound/spec-augment.ts';
import type { Recipe } from '../recipe/schema.ts';

/** The front-end for the sounds of a recipe; undefined for other data. `UserError` for inconsistent keys. */
export function soundOf(dataset: Recipe['dataset']): LogMel | undefined {
  if (!('rate' in dataset)) return undefined;
  const { rate, seconds, features } = dataset;
  const { mels, low, high = rate / 2, coefficients } = features;
  const [window, hop] = [Math.round(features.window * rate), Math.round(features.hop * rate)];
  const length = clipLength({ rate, seconds });
  const specAugment = masksOf(features.specAugment);
  const sound = { rate, length, window, hop, mels, low, high, coefficients, specAugment };
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
  if (specAugment !== undefined) checkMasks(specAugment, framesOf(sound), mels);
  return sound;
}

/** `UserError` for masks with a student from a file: it reads the sound itself, without a spectrum to mask. */
export function refuseMasks({ dataset }: Pick<Recipe, 'dataset'>): void {
  if (!('rate' in dataset) || dataset.features.specAugment === undefined) return;
  throw new UserError(
    'dataset.features.specAugment: expected a named student, whose spectrum is computed here, received one from a file',
    'Remove specAugment, or name a model: `student: { model: ds-cnn }`.',
  );
}

type Features = Extract<Recipe['dataset'], { rate: number }>['features'];

/** Undefined for masks without width. */
function masksOf(given: Features['specAugment']): SpecAugment | undefined {
  if (given === undefined) return undefined;
  const { timeWidth, frequencyWidth } = given;
  if (timeWidth === 0 && frequencyWidth === 0)
    throw new UserError(
      'dataset.features.specAugment: expected a timeWidth or a frequencyWidth above 0, received 0 for both',
      'Say how many frames (timeWidth) or bands (frequencyWidth) a mask may cover, or remove specAugment.',
    );
  const number = (masks: number, width: number): number => (width === 0 ? 0 : masks);
  return {
    ...{ timeMasks: number(given.timeMasks, timeWidth), timeWidth },
    ...{ frequencyMasks: number(given.frequencyMasks, frequencyWidth), frequencyWidth },
  };
}

function checkMasks({ timeWidth, frequencyWidth }: SpecAugment, frames: number, mels: number): void {
  for (const [key, width, size, what] of [
    ['timeWidth', timeWidth, frames, 'frames'],
    ['frequencyWidth', frequencyWidth, mels, 'bands'],
  ] as const)
    if (width >= size)
      throw new UserError(
        `dataset.features.specAugment.${key}: expected less than the ${size} ${what} of a sound, received ${width}`,
        'A mask that covers all of a sound leaves nothing to learn from: choose a smaller one.',
      );
}
