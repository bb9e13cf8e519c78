import { RandomStream } from '../../base/random.ts';
import type { AugmentStep } from '../config.ts';
import type { Background, Backgrounds } from '../dataset.ts';

/** Function that changes one sound, [length, 1] values from -1 to 1, in place; `random` is its only source of randomness. */
export type SoundStep = (sound: Float32Array, random: RandomStream) => void;

/** Length of a table of normal noise that all samples share: each reads it from a random position, forwards or backwards. */
const NOISE = 2 ** 16;

/** Function of a step for sounds; undefined for a step for pictures. `backgrounds`: recordings of the folders that steps name. */
export function soundStep(step: AugmentStep, length: number, backgrounds: Backgrounds = {}): SoundStep | undefined {
  if ('timeShift' in step) return timeShift(Math.floor(step.timeShift * length), length);
  if ('gain' in step) {
    return (sound, random) => {
      const factor = 10 ** ((step.gain * (2 * random.uniform() - 1)) / 20);
      for (let i = 0; i < length; i++) sound[i]! *= factor;
    };
  }
  if ('noise' in step) return noise(step.noise, length);
  if ('background' in step) {
    const { folder, ratio = [0, 30], probability = 1 } = step.background;
    const apply = background(backgrounds[folder]!, ratio, length);
    return (sound, random) => {
      if (random.uniform() < probability) apply(sound, random);
    };
  }
  return undefined;
}

/** Shifts a sound by up to `reach` values either way; the gap is silent. */
function timeShift(reach: number, length: number): SoundStep {
  return (sound, random) => {
    const by = random.below(2 * reach + 1) - reach;
    sound.copyWithin(Math.max(0, by), Math.max(0, -by), Math.min(length, length - by));
    if (by > 0) sound.fill(0, 0, by);
    else if (by < 0) sound.fill(0, length + by);
  };
}

/** Adds white noise at a signal-to-noise ratio drawn between two, in decibels. A silent sound stays silent. */
function noise([low, high]: readonly [number, number], length: number): SoundStep {
  let table: Float32Array | undefined;
  return (sound, random) => {
    table ??= normals();
    const ratio = low + (high - low) * random.uniform();
    const start = random.below(NOISE);
    const deviation = Math.sqrt(powerOf(sound, 0, length) / 10 ** (ratio / 10));
    const sign = random.below(2) === 0 ? -1 : 1;
    for (let i = 0; i < length; i++) sound[i]! += deviation * table[(start + sign * i) & (NOISE - 1)]!;
  };
}

/** Adds a random stretch of a recording, repeated if the recording is shorter. A silent stretch or a silent sound changes nothing. */
function background({ values, starts }: Background, [low, high]: readonly [number, number], length: number): SoundStep {
  return (sound, random) => {
    const at = random.below(starts.length - 1);
    const [first, size] = [starts[at]!, starts[at + 1]! - starts[at]!];
    const from = random.below(Math.max(1, size - length + 1));
    const ratio = low + (high - low) * random.uniform();
    const noise = powerOf(values, first + from, Math.min(size, length));
    if (noise === 0) return;
    const factor = Math.sqrt(powerOf(sound, 0, length) / noise / 10 ** (ratio / 10));
    for (let i = 0; i < length; i++) sound[i]! += factor * values[first + ((from + i) % size)]!;
  };
}

/** Mean square. */
function powerOf(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += values[i]! ** 2;
  return sum / length;
}

function normals(): Float32Array {
  const random = new RandomStream('noise');
  return Float32Array.from({ length: NOISE }, () => random.normal());
}
