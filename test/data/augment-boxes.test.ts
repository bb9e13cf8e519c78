import { RandomStream } from '../../src/base/random.ts';
import { createAugmenter } from '../../src/data/augment/augment.ts';
import { drawBox } from '../../src/data/augment/boxes.ts';
import { cutmix } from '../../src/data/augment/cutmix.ts';
import { createMixer } from '../../src/data/augment/mix.ts';
import { mixup } from '../../src/data/augment/mixup.ts';
import { enlarge } from '../../src/data/augment/resized-crop.ts';
import type { AugmentStep } from '../../src/data/config.ts';
import { userError } from './support.ts';

const plain = { scale: 1, mean: [0], std: [1] };
const counting = (size: number) => Float32Array.from({ length: size }, (_, i) => i);

/** Images that draws of one step make of one image, each from its own stream. */
function drawn(step: AugmentStep, image: Float32Array, shape: number[], draws = 200): Float32Array[] {
  const apply = createAugmenter([step], shape, plain)!;
  const random = new RandomStream('boxes');
  return Array.from({ length: draws }, (_, i) => {
    const copy = image.slice();
    apply(copy, random.seek(i));
    return copy;
  });
}

describe('a drawn box', () => {
  it('lies inside, with its area and shape in their ranges but for whole pixels', () => {
    const random = new RandomStream('box');
    const corners = new Set<string>();
    for (let i = 0; i < 500; i++) {
      const { top, left, height, width } = drawBox({ height: 40, width: 60 }, [0.1, 0.5], [0.5, 2], random)!;
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(top + height).toBeLessThanOrEqual(40);
      expect(left + width).toBeLessThanOrEqual(60);
      expect((height * width) / 2400).toBeGreaterThan(0.08);
      expect((height * width) / 2400).toBeLessThan(0.54);
      expect(width / height).toBeGreaterThan(0.45);
      expect(width / height).toBeLessThan(2.2);
      corners.add(`${top} ${left}`);
    }
    expect(corners.size).toBeGreaterThan(250);
  });

  it('that cannot fit is none', () => {
    expect(drawBox({ height: 2, width: 50 }, [1, 1], [1, 1], new RandomStream('no'))).toBeUndefined();
  });
});

describe('resizedCrop', () => {
  const context = { height: 4, width: 4, channels: 1, black: Float32Array.of(0) };
  const enlarged = (image: number[], box: Parameters<typeof enlarge>[3]): number[] => {
    const result = Float32Array.from(image);
    enlarge(result, new Float32Array(16), context, box);
    return [...result];
  };

  it('draws a part to the whole size, between the centres of its pixels', () => {
    // Two pixels 0 and 8 over four: centres at -¼, ¼, ¾ and 1¼ of them.
    const row = [9, 0, 8, 9];
    const wide = enlarged([...row, ...row, ...row, ...row], { top: 0, left: 1, height: 4, width: 2 });
    expect(wide.slice(0, 4)).toEqual([0, 2, 6, 8]);
    const column = [9, 9, 9, 9, 0, 0, 0, 0, 8, 8, 8, 8, 9, 9, 9, 9];
    const high = enlarged(column, { top: 1, left: 0, height: 2, width: 4 });
    expect([high[0], high[4], high[8], high[12]]).toEqual([0, 2, 6, 8]);
  });

  it('of the whole image is the image, of one pixel that pixel', () => {
    const image = [...counting(16)];
    expect(enlarged(image, { top: 0, left: 0, height: 4, width: 4 })).toEqual(image);
    expect(enlarged(image, { top: 2, left: 1, height: 1, width: 1 })).toEqual(new Array(16).fill(9));
  });

  it('is the same for one stream and substream, and stays within the values of the image', () => {
    const step = { resizedCrop: {} };
    const image = counting(64);
    const [first, again] = [drawn(step, image, [8, 8, 1]), drawn(step, image, [8, 8, 1])];
    expect(again).toEqual(first);
    expect(new Set(first.map(String)).size).toBeGreaterThan(100);
    for (const one of first) expect(Math.min(...one) >= 0 && Math.max(...one) <= 63).toBe(true);
  });
});

describe('erase', () => {
  it('fills one box of some images with values between the darkest and the brightest', () => {
    const image = counting(400);
    const results = drawn({ erase: {} }, image, [20, 20, 1], 400);
    const changed = results.map((one) => [...one.keys()].filter((i) => one[i] !== image[i]));
    const erased = changed.filter((at) => at.length > 0);
    expect(erased.length).toBeGreaterThan(160);
    expect(erased.length).toBeLessThan(240);
    for (const at of erased) {
      const rows = new Set(at.map((i) => Math.floor(i / 20)));
      const columns = new Set(at.map((i) => i % 20));
      expect(at.length).toBe(rows.size * columns.size);
      expect(at.length).toBeGreaterThan(4);
      expect(at.length).toBeLessThan(200);
    }
    for (const one of results) expect(Math.min(...one) >= 0 && Math.max(...one) <= 399).toBe(true);
  });
});

describe('cutmix', () => {
  const shape = { height: 6, width: 5, channels: 2 };
  const size = 60;
  const batch = (n: number) => Float32Array.from({ length: n * size }, (_, i) => Math.floor(i / size));

  it('puts a box of the partner into each sample, and weighs the labels by what is seen', () => {
    const x = batch(64);
    const { mix, apply } = cutmix(64, shape, 1, new RandomStream('cut'));
    const { partners, lambda } = mix;
    apply(x);
    for (let i = 0; i < 64; i++) {
      const sample = x.subarray(i * size, (i + 1) * size);
      const own = sample.filter((value) => value === i).length;
      const its = sample.filter((value) => value === partners[i]).length;
      expect(partners[i] === i ? own : own + its).toBe(size);
      if (partners[i] !== i) expect(own / size).toBeCloseTo(lambda[i]!, 6);
    }
    expect(new Set(lambda).size).toBeGreaterThan(5);
    expect([...partners].sort((a, b) => a - b)).toEqual([...counting(64)]);
  });

  it('beside mixup takes one of the two, batch by batch, and each by itself is as without the other', () => {
    const seeded = (steps: AugmentStep[]) => createMixer(steps, [6, 5, 2], 7, 3)!;
    const [both, cut, mix] = [seeded([{ mixup: 1 }, { cutmix: 1 }]), seeded([{ cutmix: 1 }]), seeded([{ mixup: 1 }])];
    const of = (mixer: typeof both, index: number): string => {
      const x = batch(4);
      mixer(4, index).apply(x);
      return x.join();
    };
    const taken = Array.from({ length: 20 }, (_, i) => {
      expect([of(cut, i), of(mix, i)]).toContain(of(both, i));
      return of(both, i) === of(cut, i);
    });
    expect(new Set(taken).size).toBe(2);
    const expected = batch(4);
    mixup(4, 1, new RandomStream(7, 'mixup', 3).seek(5)).apply(expected);
    expect(of(mix, 5)).toBe(expected.join());
  });

  it('refuses samples that are no images', async () => {
    const error = await userError(() => createMixer([{ cutmix: 1 }], [9], 0, 0));
    expect(error.message).toBe('augment: cutmix cuts boxes out of images, but a sample is [9]');
  });
});
