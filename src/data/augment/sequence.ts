import type { RandomStream } from '../../base/random.ts';
import type { AugmentStep } from '../config.ts';

/** Function that changes one sequence, [steps, channels] normalized values, in place; `random` is its only source of randomness. */
export type SequenceStep = (sequence: Float32Array, random: RandomStream) => void;

/** Parts of a sequence that a time warp stretches or shortens, and the least speed in a part. */
const [PARTS, SLOWEST] = [4, 0.1];

/** Function of a step for sequences; undefined for another step. */
export function sequenceStep(step: AugmentStep, steps: number, channels: number): SequenceStep | undefined {
  const resample = resampler(steps, channels);
  if ('jitter' in step)
    return (sequence, random) => {
      for (let i = 0; i < sequence.length; i++) sequence[i]! += step.jitter * random.normal();
    };
  if ('scaling' in step)
    return (sequence, random) => {
      for (let c = 0; c < channels; c++) {
        const factor = 1 + step.scaling * random.normal();
        for (let i = c; i < sequence.length; i += channels) sequence[i]! *= factor;
      }
    };
  if ('channelDropout' in step)
    return (sequence, random) => {
      for (let c = 0; c < channels; c++) {
        if (random.uniform() >= step.channelDropout) continue;
        for (let i = c; i < sequence.length; i += channels) sequence[i] = 0;
      }
    };
  if ('timeCrop' in step)
    return (sequence, random) => {
      const share = step.timeCrop + (1 - step.timeCrop) * random.uniform();
      const start = (1 - share) * (steps - 1) * random.uniform();
      resample(sequence, (at) => start + share * at);
    };
  if ('timeWarp' in step) return (sequence, random) => resample(sequence, warp(step.timeWarp, steps, random));
  return undefined;
}

/** Um et al. 2017, "Data augmentation of wearable sensor data for Parkinson's disease monitoring": speeds change over time, start and end stay. */
function warp(deviation: number, steps: number, random: RandomStream): (at: number) => number {
  const speeds = Array.from({ length: PARTS }, () => Math.max(SLOWEST, 1 + deviation * random.normal()));
  const ends = [0];
  for (const speed of speeds) ends.push(ends.at(-1)! + speed);
  const unit = (steps - 1) / ends.at(-1)!;
  return (at) => {
    const place = (at / (steps - 1)) * PARTS;
    const part = Math.min(PARTS - 1, Math.floor(place));
    return unit * (ends[part]! + (place - part) * speeds[part]!);
  };
}

/** Replaces each step of a sequence by the one at another time, between two steps by both in proportion. */
function resampler(steps: number, channels: number) {
  const before = new Float32Array(steps * channels);
  return (sequence: Float32Array, timeOf: (step: number) => number): void => {
    if (steps === 1) return;
    before.set(sequence);
    for (let step = 0; step < steps; step++) {
      const time = Math.min(steps - 1, Math.max(0, timeOf(step)));
      const from = Math.min(Math.floor(time), steps - 2);
      const rest = time - from;
      for (let c = 0; c < channels; c++) {
        const at = from * channels + c;
        sequence[step * channels + c] = (1 - rest) * before[at]! + rest * before[at + channels]!;
      }
    }
  };
}
