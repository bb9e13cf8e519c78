import { z } from 'zod';
import { LOSSES } from './loss.ts';
import type { LossName } from './loss.ts';
import { temperatureSchema, fraction } from './parts.ts';

/** Losses that can race: those that need only the teacher's answers and no further choices. */
const RACERS = (Object.keys(LOSSES) as LossName[]).filter((name) => {
  const { options } = LOSSES[name];
  return !('features' in options) && !('strong' in options) && !('peer' in options);
}) as [LossName, ...LossName[]];

export const raceSchema = z
  .strictObject({
    losses: z
      .array(z.enum(RACERS))
      .min(1)
      .default(['kd', 'dkd', 'dist', 'mlld'])
      .describe('Losses that race; losses that do not suit the task or the samples are left out with a note.'),
    temperatures: z
      .array(temperatureSchema)
      .min(1)
      .default([2, 4])
      .describe('Temperatures for losses with a temperature.'),
    alphas: z
      .array(fraction)
      .min(1)
      .default([0.5, 0.9])
      .describe('Weights of the teacher for losses with such a weight.'),
    rounds: z
      .int()
      .min(1)
      .max(8)
      .default(3)
      .describe(
        'Number of rounds; after each, the better half continues with twice the epochs, up to half of `epochs` in the last.',
      ),
  })
  .describe('Race of short trainings, judged by the validation split.');

export type RaceRecipe = z.infer<typeof raceSchema>;
