import { RandomStream } from '../../../src/base/random.ts';
import type { AugmentStep } from '../../../src/data/config.ts';
import { createAugmenter } from '../../../src/data/augment/augment.ts';
import { batches } from '../../../src/data/batches/batches.ts';
import { datasetOf, userError } from '../support.ts';
import { sharedFloats } from '../../../src/data/dataset.ts';

const [STEPS, CHANNELS] = [20, 3];
const SHAPE = [STEPS, CHANNELS];
const plain = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };

/** A ramp from 0 to 1 in each channel, times 1, 10 and 100. */
const ramp = (): Float32Array =>
  Float32Array.from({ length: STEPS * CHANNELS }, (_, i) => (10 ** (i % 3) * Math.floor(i / 3)) / (STEPS - 1));

function changed(step: AugmentStep, seed = 1, sample = ramp()): Float32Array {
  createAugmenter([step], SHAPE, plain)!(sample, new RandomStream(seed));
  return sample;
}

const channel = (sample: Float32Array, c: number): number[] => [...sample].filter((_, i) => i % CHANNELS === c);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('augmentation of sequences', () => {
  it('jitter adds noise of the deviation to each value', () => {
    const noise = Array.from({ length: 200 }, (_, seed) => [...changed({ jitter: 0.5 }, seed, ramp().fill(0))]).flat();
    expect(mean(noise)).toBeCloseTo(0, 1);
    expect(Math.sqrt(mean(noise.map((value) => value ** 2)))).toBeCloseTo(0.5, 1);
  });

  it('scaling multiplies each channel by a factor of its own', () => {
    const out = changed({ scaling: 0.3 });
    const factors = [0, 1, 2].map((c) => out.at(c - 3)! / 10 ** c);
    for (const c of [0, 1, 2])
      channel(out, c).forEach((value, i) => expect(value).toBeCloseTo(factors[c]! * channel(ramp(), c)[i]!, 4));
    expect(new Set(factors).size).toBe(3);
  });

  it('a time warp keeps start, end and order, and moves all channels alike', () => {
    for (let seed = 0; seed < 20; seed++) {
      const out = changed({ timeWarp: 1 }, seed);
      const times = channel(out, 0);
      expect(times[0]).toBe(0);
      expect(times.at(-1)).toBeCloseTo(1, 5);
      times.forEach((time, i) => {
        if (i > 0) expect(time).toBeGreaterThan(times[i - 1]!);
        expect(channel(out, 2)[i]).toBeCloseTo(100 * time, 2);
      });
    }
  });

  it('a crop is a stretch of at least its share at an even speed', () => {
    for (let seed = 0; seed < 20; seed++) {
      const times = channel(changed({ timeCrop: 0.6 }, seed), 0);
      const speeds = times.slice(1).map((time, i) => (time - times[i]!) * (STEPS - 1));
      expect(Math.min(...speeds)).toBeGreaterThan(0.59);
      expect(Math.max(...speeds) - Math.min(...speeds)).toBeLessThan(1e-3);
    }
  });

  it('channel dropout sets whole channels to 0', () => {
    const outs = Array.from({ length: 300 }, (_, seed) => changed({ channelDropout: 0.25 }, seed, ramp().fill(2)));
    const channels = outs.flatMap((out) => [0, 1, 2].map((c) => channel(out, c)));
    expect(channels.every((values) => new Set(values).size === 1)).toBe(true);
    expect(mean(channels.map(([value]) => (value === 0 ? 1 : 0)))).toBeCloseTo(0.25, 1);
  });

  const steps: readonly AugmentStep[] = [{ jitter: 0.1 }, { scaling: 0.1 }, { timeWarp: 0.2 }, { timeCrop: 0.8 }, { channelDropout: 0.1 }]; // prettier-ignore

  it('changes a sample by its id, seed and epoch alone, bit for bit', () => {
    const dataset = datasetOf(sharedFloats(8 * STEPS * CHANNELS).map((_, i) => Math.sin(i)), SHAPE); // prettier-ignore
    const of = (seed: number, epoch: number): Map<number, Float32Array> => {
      const found = new Map<number, Float32Array>();
      for (const { ids, x } of batches(dataset, { batchSize: 3, seed, epoch, augment: steps }))
        ids.forEach((id, i) => found.set(id, x.slice(i * STEPS * CHANNELS, (i + 1) * STEPS * CHANNELS)));
      return found;
    };
    expect(of(1, 0)).toEqual(of(1, 0));
    expect(of(1, 0).get(0)).not.toEqual(of(1, 1).get(0));
    expect(of(1, 0).get(0)).not.toEqual(of(2, 0).get(0));
  });

  it.each([
    ['a picture', [4, 4, 3], { jitter: 0.1 }, 'augment: jitter changes sequences, but a sample is [4, 4, 3]'],
    ['a row of a table', [5], { timeWarp: 0.1 }, 'augment: timeWarp changes sequences, but a sample is [5]'],
    ['a sequence', [5, 2], { flip: 'horizontal' }, 'augment: flip changes images, but a sample is a sequence [5, 2]'],
    ['a sequence', [5, 2], { gain: 6 }, 'augment: gain changes sounds, but a sample is a sequence [5, 2]'],
  ] as const)('is refused where it does not fit %s', async (_, shape, step, message) => {
    expect((await userError(() => createAugmenter([step], shape, plain))).message).toBe(message);
  });

  it('changes a sequence of one channel, as sounds have', () => {
    const sample = Float32Array.from({ length: 9 }, (_, i) => i);
    createAugmenter([{ timeCrop: 0.5 }, { gain: 3 }], [9, 1], plain)!(sample, new RandomStream(3));
    expect(sample[0]).toBeGreaterThan(0);
  });
});
