import { UserError } from '../../base/errors.ts';
import { clip } from '../../data/sounds/clip.ts';
import { parseWav } from '../../data/sounds/wav.ts';
import { Refusal } from '../refusal.ts';
import type { Described } from './preparation.ts';

/** A WAV file at the rate and of the length that the model hears, brought there as the sounds of its data were. */
export function soundOf(body: Buffer, { shape, rate }: Described): Float32Array {
  if (rate === undefined) throw new Refusal(400, 'this model takes no sounds: its file does not say at which rate');
  try {
    return clip(parseWav(body, 'the sound'), { rate, seconds: shape[0]! / rate });
  } catch (error) {
    if (error instanceof UserError) throw new Refusal(400, error.message);
    throw error;
  }
}
