import { z } from 'zod';

/** Numbers of report.json. */

export const amount = z.number().min(0);
export const whole = z.int().min(0);
export const split = z.enum(['test', 'validation']);

/** A value of the score of the task: a fraction, a correlation, or an error of which less is better. */
export const scoreValue = z.number().min(-1);
