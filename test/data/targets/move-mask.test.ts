import { RandomStream } from '../../../src/base/random.ts';
import { createAugmenter } from '../../../src/data/augment/augment.ts';
import type { Geometry } from '../../../src/data/augment/geometry.ts';
import { OPERATIONS } from '../../../src/data/augment/rand-augment.ts';
import type { AugmentStep } from '../../../src/data/config.ts';
import { IGNORED } from '../../../src/data/targets/ignored.ts';
import { moveMasks } from '../../../src/answers/mask/move.ts';

const normalization = { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
const DRAWS = 40;

/** A picture whose pixels say where they are: [x, y, 1], and black, [0, 0, 0], outside. A step moves it without rounding, inside of the picture. */
function places(height: number, width: number): Float32Array {
  return Float32Array.from({ length: height * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [pixel % width, Math.floor(pixel / width), 1][i % 3]!;
  });
}

function randomMask(height: number, width: number, random: RandomStream): Uint8Array {
  return Uint8Array.from({ length: height * width }, () => random.below(200));
}

/** Compares a moved mask with the class at the place that each pixel of the moved picture shows; returns the number of compared pixels. */
function expectAlike(moved: Uint8Array, mask: Uint8Array, shown: Float32Array, width: number): number {
  const expected = Array.from(moved, (_, at) => {
    const [x, y, share] = [shown[3 * at]!, shown[3 * at + 1]!, shown[3 * at + 2]!];
    if (share === 0) return IGNORED;
    const isTie = [x, y].some((place) => Math.abs((Math.abs(place) % 1) - 0.5) < 1e-3);
    // At the border, the picture mixes its pixels with black.
    return Math.abs(share - 1) > 1e-5 || isTie ? undefined : mask[Math.round(y) * width + Math.round(x)]!;
  });
  expect(Array.from(moved, (value, at) => (expected[at] === undefined ? undefined : value))).toEqual(expected);
  return expected.filter((value) => value !== undefined && value !== IGNORED).length;
}

const STEPS: readonly (readonly [string, AugmentStep[]])[] = [
  ['shift', [{ shift: 3 }]],
  ['crop', [{ crop: 3 }]],
  ['flip', [{ flip: 'horizontal' }]],
  ['flip, vertical', [{ flip: 'vertical' }]],
  ['rotate', [{ rotate: 180 }]],
  ['resizedCrop', [{ resizedCrop: {} }]],
  ['several steps', [{ flip: 'vertical' }, { crop: 3 }, { flip: 'horizontal' }, { rotate: 30 }]],
  ['steps between others', [{ cutout: 2 }, { shift: 2 }, { rotate: 20 }, { shift: 1 }]],
]; // prettier-ignore
const SIZES = [
  [9, 9],
  [8, 13],
  [12, 7],
  [1, 5],
] as const;

describe.each(SIZES)('a mask of %d × %d pixels', (height, width) => {
  it.each(STEPS)('shows what its picture shows: %s', (name, steps) => {
    const apply = createAugmenter(steps, [height, width, 3], normalization)!;
    let compared = 0;
    for (let i = 0; i < DRAWS; i++) {
      const mask = randomMask(height, width, new RandomStream('mask', i));
      const shown = places(height, width);
      const maps: Geometry = [];
      // Cutout blanks the picture, which the mask must not follow: its draws alone are repeated.
      apply(maps, new RandomStream(name, i));
      const moving = new RandomStream(name, i);
      if ('cutout' in steps[0]!) for (const side of [height, width]) moving.below(side);
      const pictureSteps = steps.filter((step) => !('cutout' in step));
      createAugmenter(pictureSteps, [height, width, 3], normalization)!(shown, moving);
      compared += expectAlike(moveMasks(mask, [maps], { height, width }), mask, shown, width);
    }
    expect(compared).toBeGreaterThan((DRAWS * height * width) / 64);
  });

  it.each(Object.entries(OPERATIONS))('shows what its picture shows: randAugment, %s', (name, { apply }) => {
    const context = { height, width, channels: 3, black: new Float32Array(3) };
    for (const share of [-0.9, 0.3, 1]) {
      const shown = places(height, width);
      const maps: Geometry = [];
      apply(maps, new Float32Array(shown.length), context, share);
      const isMoved = /^(rotate|shear|translate)/.test(name);
      expect(maps).toHaveLength(isMoved ? 1 : 0);
      if (!isMoved) continue;
      apply(shown, new Float32Array(shown.length), context, share);
      const mask = randomMask(height, width, new RandomStream('mask', share));
      expectAlike(moveMasks(mask, [maps], { height, width }), mask, shown, width);
    }
  });
});

it('a mask follows the operations that randAugment draws, whatever happens to colours between', () => {
  const [height, width] = [11, 8];
  const apply = createAugmenter(
    [{ randAugment: { operations: 4, magnitude: 25 } }],
    [height, width, 3],
    normalization,
  )!;
  const names = Object.keys(OPERATIONS);
  const context = { height, width, channels: 3, black: new Float32Array(3) };
  const drawn = new Set<string>();
  for (let i = 0; i < 60; i++) {
    const maps: Geometry = [];
    apply(maps, new RandomStream('operations', i));
    const shown = places(height, width);
    const random = new RandomStream('operations', i);
    for (let k = 0; k < 4; k++) {
      const name = names[random.below(names.length)]!;
      const { isSigned, apply: change } = OPERATIONS[name]!;
      const share = isSigned === true && random.below(2) === 1 ? -25 / 30 : 25 / 30;
      if (/^(rotate|shear|translate)/.test(name)) change(shown, new Float32Array(shown.length), context, share);
      drawn.add(name);
    }
    const mask = randomMask(height, width, new RandomStream('mask', i));
    expectAlike(moveMasks(mask, [maps], { height, width }), mask, shown, width);
  }
  expect(drawn.size).toBe(names.length);
});

it('steps draw the same random numbers for a geometry as for a picture', () => {
  const steps: AugmentStep[] = [
    { erase: {} },
    { crop: 2 },
    { randAugment: { operations: 3 } },
    { cutout: 3 },
    { resizedCrop: {} },
    { rotate: 10 },
    { flip: 'horizontal' },
  ];
  const apply = createAugmenter(steps, [6, 9, 3], normalization)!;
  for (let i = 0; i < 100; i++) {
    const [forPicture, forMaps] = [new RandomStream('draws', i), new RandomStream('draws', i)];
    apply(places(6, 9), forPicture);
    apply([], forMaps);
    expect(forMaps.uint32()).toBe(forPicture.uint32());
  }
});

it('a picture of another size, drawn in the pixels of the first, moves by the same share', () => {
  const steps: AugmentStep[] = [{ crop: 4 }, { rotate: 40 }];
  const maps: Geometry = [];
  createAugmenter(steps, [16, 24, 3], normalization, [8, 8, 3])!(maps, new RandomStream('size', 1));
  const shown = places(16, 24);
  createAugmenter(steps, [16, 24, 3], normalization, [8, 8, 3])!(shown, new RandomStream('size', 1));
  const mask = randomMask(16, 24, new RandomStream('mask'));
  expect(expectAlike(moveMasks(mask, [maps], { height: 16, width: 24 }), mask, shown, 24)).toBeGreaterThan(50);
});

it('masks of a batch move each by its own maps, and keep their memory apart', () => {
  const masks = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const mirrored: Geometry = [{ xx: -1, xy: 0, x0: 2, yx: 0, yy: 1, y0: 0 }];
  const moved = moveMasks(masks, [[], mirrored], { height: 1, width: 3 });
  expect([...moved]).toEqual([1, 2, 3, 6, 5, 4]);
  expect(moved.buffer).not.toBe(masks.buffer);
});

it('what lies outside is ignored, and stays so however it is moved back', () => {
  const out = (dx: number): Geometry[number] => ({ xx: 1, xy: 0, x0: dx, yx: 0, yy: 1, y0: 0 });
  expect([...moveMasks(Uint8Array.of(1, 2, 3), [[out(-1), out(1)]], { height: 1, width: 3 })]).toEqual([1, 2, IGNORED]);
  expect([...moveMasks(Uint8Array.of(1, 2, 3), [[out(2)]], { height: 1, width: 3 })]).toEqual([3, IGNORED, IGNORED]);
});
