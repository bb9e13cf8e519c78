import { RandomStream } from '../../src/base/random.ts';
import { createAugmenter } from '../../src/data/augment/augment.ts';
import { cutmix } from '../../src/data/augment/cutmix.ts';
import { beta, mixup } from '../../src/data/augment/mixup.ts';
import { rotate } from '../../src/data/augment/rotate.ts';
import { mirrorHorizontally, mirrorVertically, translate } from '../../src/data/augment/translate.ts';
import type { AugmentStep } from '../../src/data/config.ts';
import { userError } from './support.ts';

const plain = { scale: 1, mean: [0], std: [1] };
const grey = (height: number, width: number) => ({ height, width, channels: 1, black: Float32Array.of(-1) });
const counting = (size: number) => Float32Array.from({ length: size }, (_, i) => i);

/** All the images that many draws of the steps make of one image, as text. */
function outcomes(steps: AugmentStep[], image: Float32Array, shape: number[], draws = 400): Set<string> {
  const apply = createAugmenter(steps, shape, plain)!;
  const random = new RandomStream('outcomes');
  return new Set(
    Array.from({ length: draws }, () => {
      const copy = image.slice();
      apply(copy, random);
      return copy.join(' ');
    }),
  );
}

function translated(dy: number, dx: number): number[] {
  const image = counting(9);
  translate(image, new Float32Array(9), grey(3, 3), dy, dx);
  return [...image];
}

describe('translate', () => {
  it('moves down and right, and fills with black', () => {
    expect(translated(1, 0)).toEqual([-1, -1, -1, 0, 1, 2, 3, 4, 5]);
    expect(translated(0, -1)).toEqual([1, 2, -1, 4, 5, -1, 7, 8, -1]);
    expect(translated(-3, 0)).toEqual(new Array(9).fill(-1));
  });

  it('moves whole pixels of several channels, and knows black per channel', () => {
    const image = counting(6);
    translate(image, new Float32Array(6), { height: 1, width: 3, channels: 2, black: Float32Array.of(-1, -2) }, 0, 1);
    expect([...image]).toEqual([-1, -2, 0, 1, 2, 3]);
  });
});

describe('mirror', () => {
  it('swaps left and right, top and bottom, and keeps channels together', () => {
    const image = counting(12);
    mirrorHorizontally(image, { height: 2, width: 3, channels: 2 });
    expect([...image]).toEqual([4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7]);
    mirrorVertically(image, { height: 2, width: 3, channels: 2 });
    expect([...image]).toEqual([10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1]);
  });
});

describe('rotate', () => {
  const turned = (size: number, angle: number) => {
    const image = counting(size * size);
    rotate(image, new Float32Array(size * size), grey(size, size), angle);
    return [...image];
  };

  it('by a quarter is exact, counter-clockwise', () => {
    expect(turned(3, Math.PI / 2).map(Math.round)).toEqual([2, 5, 8, 1, 4, 7, 0, 3, 6]);
    expect(turned(4, Math.PI).map(Math.round)).toEqual([...counting(16)].reverse());
    expect(turned(3, 0)).toEqual([...counting(9)]);
  });

  it('by 45 degrees interpolates between four pixels and takes black from outside', () => {
    const image = turned(3, Math.PI / 4);
    expect(image[4]).toBe(4);
    // The corner (-1, -1) comes from (0, -√2): 0.414 beyond pixel 1, towards black.
    expect(image[0]).toBeCloseTo((2 - Math.SQRT2) * 1 + (Math.SQRT2 - 1) * -1, 5);
    // The edge (0, -1) comes from (0.707, -0.707), between pixels 1, 2, 4 and 5.
    const s = Math.SQRT1_2;
    expect(image[1]).toBeCloseTo(s * ((1 - s) * 1 + s * 2) + (1 - s) * ((1 - s) * 4 + s * 5), 5);
  });
});

describe('augmentation steps', () => {
  it('shift reaches every place within its distance and no other', () => {
    const image = new Float32Array(25);
    image[12] = 1;
    const seen = outcomes([{ shift: 1 }], image, [5, 5, 1]);
    expect([...seen].map((text) => text.split(' ').indexOf('1')).sort((a, b) => a - b)).toEqual([
      6, 7, 8, 11, 12, 13, 16, 17, 18,
    ]);
    expect(outcomes([{ shift: 0 }], image, [5, 5, 1]).size).toBe(1);
  });

  it('crop is a shift', () => {
    const image = counting(3);
    expect(outcomes([{ crop: 1 }], image, [1, 3, 1])).toEqual(new Set(['0 1 2', '0 0 1', '1 2 0', '0 0 0']));
  });

  it('flip mirrors about half of the samples', () => {
    expect(outcomes([{ flip: 'horizontal' }], counting(4), [2, 2, 1])).toEqual(new Set(['0 1 2 3', '1 0 3 2']));
    expect(outcomes([{ flip: 'vertical' }], counting(4), [2, 2, 1])).toEqual(new Set(['0 1 2 3', '2 3 0 1']));
    const apply = createAugmenter([{ flip: 'vertical' }], [2, 1, 1], plain)!;
    const random = new RandomStream('half');
    let mirrored = 0;
    for (let i = 0; i < 1000; i++) {
      const image = Float32Array.of(0, 1);
      apply(image, random);
      mirrored += image[0]!;
    }
    expect(mirrored).toBeGreaterThan(430);
    expect(mirrored).toBeLessThan(570);
  });

  it('rotate stays within its angle', () => {
    const image = new Float32Array(81);
    image[4 * 9 + 8] = 1;
    const far = [...outcomes([{ rotate: 20 }], image, [9, 9, 1])].map((text) => text.split(' ').map(Number));
    expect(far.length).toBeGreaterThan(100);
    // The pixel 4 to the right of the centre turns by at most 4·sin(20°) = 1.37 rows, and bilinear adds one.
    for (const turned of far)
      expect(turned.every((value, i) => value === 0 || Math.abs(Math.floor(i / 9) - 4) <= 2)).toBe(true);
    expect(far.some((turned) => turned[2 * 9 + 8] !== 0 || turned[6 * 9 + 8] !== 0)).toBe(true);
  });

  it('cutout blanks a square, cut off at the edges', () => {
    const image = new Float32Array(16).fill(1);
    const blanks = [...outcomes([{ cutout: 2 }], image, [4, 4, 1])].map(
      (text) => text.split(' ').filter((value) => value === '0').length,
    );
    expect(blanks.length).toBe(16);
    expect(new Set(blanks)).toEqual(new Set([1, 2, 4]));
  });

  it('fills with the normalized value of black', () => {
    const apply = createAugmenter([{ shift: 3 }], [1, 1, 3], {
      scale: 1 / 255,
      mean: [0.5, 0.2, 0],
      std: [0.25, 0.1, 1],
    })!;
    const random = new RandomStream('black');
    const image = Float32Array.of(9, 9, 9);
    while (image[0] === 9) apply(image, random);
    expect([...image].map((value) => Math.round(value * 1000) / 1000)).toEqual([-2, -2, 0]);
  });

  it('for sounds have no map by which targets in a picture would move', async () => {
    const apply = createAugmenter([{ gain: 6 }], [100, 1], plain)!;
    const { message, hint } = await userError(() => apply([], new RandomStream('sound')));
    expect(message).toBe('augment: gain changes sounds, and the targets lie in pictures');
    expect(hint).toMatch(/^Remove it/);
  });

  it('are refused for tables', async () => {
    const { message, hint } = await userError(() => createAugmenter([{ shift: 2 }], [64], plain));
    expect(message).toBe('augment: shift changes images, but a sample is [64]');
    expect(hint).toMatch(/`shape: \[height, width, channels\]`/);
    expect(createAugmenter([{ mixup: 0.2 }], [64], plain)).toBeUndefined();
  });
});

it('cutmix takes boxes of the share that is drawn, or less at the edges, and says how much is left', () => {
  // Beta(10⁶, 10⁶) is a half: sides of 7.07 of 10 pixels, half of which is 3.
  const shape = { height: 10, width: 10, channels: 1 };
  const { mix, apply } = cutmix(300, shape, 1e6, new RandomStream('boxes'));
  const x = Float32Array.from({ length: 300 * 100 }, (_, i) => Math.floor(i / 100));
  apply(x);
  mix.lambda.forEach((lambda, i) => {
    const own = x.subarray(i * 100, (i + 1) * 100).filter((value) => value === i).length / 100;
    expect(own).toBeCloseTo(mix.partners[i] === i ? 1 : lambda, 6);
  });
  expect(Math.min(...mix.lambda)).toBeCloseTo(0.64, 6);
});

describe('mixup', () => {
  it('mixes each sample with its partner by its weight', () => {
    const before = Float32Array.of(0, 10, 100, 110, 200, 210);
    const x = before.slice();
    const { mix, apply } = mixup(3, 1, new RandomStream('mix'));
    const { partners, lambda } = mix;
    apply(x);
    expect([...partners].sort()).toEqual([0, 1, 2]);
    for (let i = 0; i < 3; i++) {
      for (const at of [0, 1]) {
        const expected = lambda[i]! * before[2 * i + at]! + (1 - lambda[i]!) * before[2 * partners[i]! + at]!;
        expect(x[2 * i + at]).toBeCloseTo(expected, 4);
      }
    }
  });

  it.each<[number, (x: number) => number]>([
    [0.5, (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x))],
    [1, (x) => x],
    [2, (x) => x * x * (3 - 2 * x)],
  ])('draws from Beta(%d, same): Kolmogorov-Smirnov against its distribution function', (alpha, distribution) => {
    const random = new RandomStream('beta', alpha);
    const draws = Array.from({ length: 20_000 }, () => beta(alpha, random)).sort((a, b) => a - b);
    const distance = Math.max(...draws.map((value, i) => Math.abs(distribution(value) - (i + 0.5) / draws.length)));
    // 1 % of honest samples are farther than 1.63 / √n.
    expect(distance).toBeLessThan(1.63 / Math.sqrt(draws.length));
  });

  it('stays in [0, 1] where the gamma draws underflow', () => {
    const random = new RandomStream('tiny');
    const draws = Array.from({ length: 2000 }, () => beta(0.001, random));
    expect(draws.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(draws.filter((value) => value > 0.5).length).toBeGreaterThan(850);
  });
});
