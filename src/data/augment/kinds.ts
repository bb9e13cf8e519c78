import type { AugmentStep } from '../config.ts';

/** True for a step that combines several samples; no teacher's answer is stored for the result. */
export function isMix(step: AugmentStep): boolean {
  return mixesBatch(step) || 'mosaic' in step;
}

/** True for a step that combines the samples of a batch. */
export function mixesBatch(step: AugmentStep): boolean {
  return 'mixup' in step || 'cutmix' in step;
}

/** Share of a training at which mosaics end. */
const UNTIL = 0.85;

/** The steps of an epoch that begins when this share of a training is done: mosaics end before it does. */
export function stepsAt(steps: readonly AugmentStep[], done: number): readonly AugmentStep[] {
  return steps.filter((step) => !('mosaic' in step) || done < UNTIL);
}
