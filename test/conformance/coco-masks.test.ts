import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { paintObject } from '../../src/data/formats/coco/paint-object.ts';
import type { CocoMask } from '../../src/data/formats/coco/paint-object.ts';
import { runPython } from './python.ts';

function python(cases: readonly object[]): unknown[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases));
    return runPython('coco_masks.py', folder) as unknown[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Polygons of a few corners, of which some lie beyond the picture, on whole and half pixels, or upon each other. */
function polygons(random: RandomStream, height: number, width: number): number[][] {
  const kind = random.below(4);
  const place = (side: number): number => {
    const value = (random.uniform() * 1.4 - 0.2) * side;
    return kind === 0 ? Math.round(value) : kind === 1 ? Math.round(2 * value) / 2 : Number(value.toFixed(2));
  };
  return Array.from({ length: 1 + random.below(3) }, () => {
    const corners = Array.from({ length: 3 + random.below(9) }, () => [place(width), place(height)]);
    if (random.below(4) === 0) corners.push(corners.at(-1)!, corners[0]!);
    return corners.flat();
  });
}

it('polygons and run lengths are the masks of pycocotools, pixel by pixel', () => {
  const random = new RandomStream('coco masks');
  const sizes = Array.from({ length: 600 }, () => ({ height: 1 + random.below(60), width: 1 + random.below(60) }));
  const drawn = sizes.map((size) => ({ ...size, segmentation: polygons(random, size.height, size.width) }));
  // Blobs and noise, empty and whole masks, as long runs too.
  const masks = sizes.slice(0, 200).map(({ height, width }, i) => {
    const share = [0, 1, 0.02, 0.5, 0.98][i % 5]!;
    return { height, width, pixels: Array.from({ length: height * width }, () => Number(random.uniform() < share)) };
  });
  const large = { height: 700, width: 900, pixels: Array.from({ length: 630_000 }, (_, i) => Number(i % 900 > 350 && i % 7 > 0)) }; // prettier-ignore
  const texts = python([...masks, large]) as string[];
  const packed = [...masks, large].map(({ height, width }, i) => {
    return { height, width, segmentation: { size: [height, width] as const, counts: texts[i]! } };
  });
  const listed = masks.map(({ height, width, pixels }) => {
    const counts = [0];
    let last = 0;
    for (let at = 0; at < pixels.length; at++) {
      const value = pixels[(at % height) * width + Math.floor(at / height)]!;
      if (value === last) counts[counts.length - 1]!++;
      else counts.push(1);
      last = value;
    }
    return { height, width, segmentation: { size: [height, width] as const, counts } };
  });
  const cases: readonly { height: number; width: number; segmentation: CocoMask }[] = [...drawn, ...packed, ...listed];
  const expected = python(cases) as number[][];
  let painted = 0;
  for (const [i, { segmentation, ...size }] of cases.entries()) {
    const mask = new Uint8Array(size.height * size.width);
    paintObject(mask, size, segmentation, 1, 'annotations[0].segmentation');
    const found = [...mask.keys()].filter((at) => mask[at] === 1);
    painted += found.length;
    expect([i, found.length, found.every((at, j) => at === expected[i]![j])]).toEqual([i, expected[i]!.length, true]);
  }
  expect(painted).toBeGreaterThan(100_000);
});
