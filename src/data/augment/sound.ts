import { RandomStream } from '../../base/random.ts';
import type { AugmentStep } from '../config.ts';

/** Function that changes one sound, [length, 1] values from -1 to 1, in place; all chance comes from `random`. */
export type SoundStep = (sound: Float32Array, random: RandomStream) => void;

/** Deviations of noise drawn for all samples: as many as are read from a random place on, forwards or backwards. */
const NOISE = 2 ** 16;

/** The function of a step that changes sounds; undefined for one that changes pictures. */
export function soundStep(step: AugmentStep, length: number): SoundStep | undefined {
  if ('timeShift' in step) return timeShift(Math.floor(step.timeShift * length), length);
  if ('gain' in step) {
    return (sound, random) => {
      const factor = 10 ** ((step.gain * (2 * random.uniform() - 1)) / 20);
      for (let i = 0; i < length; i++) sound[i]! *= factor;
    };
  }
  if ('noise' in step) return noise(step.noise, length);
  return undefined;
}

/** Move in time by up to `reach` values each way; silence comes in. */
function timeShift(reach: number, length: number): SoundStep {
  return (sound, random) => {
    const by = random.below(2 * reach + 1) - reach;
    sound.copyWithin(Math.max(0, by), Math.max(0, -by), Math.min(length, length - by));
    if (by > 0) sound.fill(0, 0, by);
    else if (by < 0) sound.fill(0, length + by);
  };
}

/** White noise at a signal-to-noise ratio, in decibels, drawn between two. A silent sound stays silent. */
function noise([low, high]: readonly [number, number], length: number): SoundStep {
  let table: Float32Array | undefined;
  return (sound, random) => {
    table ??= normals();
    const ratio = low + (high - low) * random.uniform();
    const start = random.below(NOISE);
    let power = 0;
    for (let i = 0; i < length; i++) power += sound[i]! ** 2;
    const deviation = Math.sqrt(power / length / 10 ** (ratio / 10));
    const sign = random.below(2) === 0 ? -1 : 1;
    for (let i = 0; i < length; i++) sound[i]! += deviation * table[(start + sign * i) & (NOISE - 1)]!;
  };
}

function normals(): Float32Array {
  const random = new RandomStream('noise');
  return Float32Array.from({ length: NOISE }, () => random.normal());
}
