import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { boxFigures } from '../../src/answers/boxes/average-precision.ts';
import type { BoxFigures } from '../../src/answers/boxes/average-precision.ts';
import { bestScoreThreshold, figuresAt } from '../../src/answers/boxes/threshold.ts';
import { boxRows } from '../support/boxes.ts';
import type { BoxPicture } from '../support/boxes.ts';
import { runPython } from './python.ts';

interface CocoFigures {
  readonly stats: readonly number[];
  readonly f1: readonly number[];
  readonly classes: readonly {
    readonly ap: number;
    readonly ap50: number;
    readonly ar100: number;
    readonly precision: readonly number[];
    readonly score: readonly number[];
  }[];
}

/** Sides of a picture are multiples of this: shares of them are then exact in float32, and so are equal overlaps and areas. */
const CELLS = 64;

/** Pictures with boxes, detections near them and elsewhere, equal scores, crowds, and areas of all three sizes. */
function pictures(key: number, classes: number): BoxPicture[] {
  const random = new RandomStream('boxes', key);
  return Array.from({ length: 1 + random.below(8) }, () => {
    const [down, across] = [1 + random.below(8), 1 + random.below(8)];
    const box = (): number[] => {
      const [x, y] = [random.below(CELLS - 1), random.below(CELLS - 1)];
      const side = [4, 16, CELLS][random.below(3)]!;
      const [w, h] = [1 + random.below(Math.min(side, CELLS - x)), 1 + random.below(Math.min(side, CELLS - y))];
      return [x * across, y * down, w * across, h * down];
    };
    const boxes = Array.from({ length: random.below(10) }, () => {
      const isCrowd = random.uniform() < 0.15;
      const [x, y, w, h] = box();
      const share = random.uniform() < 0.5 ? 1 : 0.5;
      return [random.below(classes), x!, y!, w!, h!, Number(isCrowd), w! * h! * share];
    });
    // Scores of few values are often equal.
    const score = (): number => (random.uniform() < 0.5 ? Math.fround(random.uniform()) : (1 + random.below(4)) / 4);
    const near = boxes.flatMap(([label, x, y, w, h]) =>
      Array.from({ length: random.below(4) }, () => {
        const other = random.uniform() < 0.1 ? random.below(classes) : label!;
        const moved = (from: number, unit: number): number => Math.max(0, from + (random.below(5) - 2) * unit * random.below(3)); // prettier-ignore
        const size = (from: number, unit: number): number => Math.max(unit, moved(from, unit));
        return [other, score(), moved(x!, across), moved(y!, down), size(w!, across), size(h!, down)];
      }),
    );
    const elsewhere = Array.from({ length: random.below(6) }, () => [random.below(classes), score(), ...box()]);
    return { height: CELLS * down, width: CELLS * across, boxes, detections: [...near, ...elsewhere] };
  });
}

function statsOf({ ap, ap50, ap75, bySize, ar1, ar10, ar100 }: BoxFigures): (number | null)[] {
  const { small, medium, large } = bySize;
  return [ap, ap50, ap75, small.ap, medium.ap, large.ap, ar1, ar10, ar100, small.ar, medium.ar, large.ar];
}

it('average precision, recall and F1 by threshold of 200 random sets of boxes are those of pycocotools', () => {
  const cases = Array.from({ length: 200 }, (_, i) => ({ classes: 1 + (i % 5), pictures: pictures(i, 1 + (i % 5)) }));
  const some = cases.filter((one) => one.pictures.some(({ detections }) => detections.length > 0));
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  try {
    writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(some));
    const expected = runPython('detection_check.py', folder) as CocoFigures[];
    expect(some.length).toBeGreaterThan(190);
    some.forEach(({ classes, pictures: all }, i) => {
      const { targets, detections } = boxRows(all, 10);
      const figures = boxFigures(detections, targets, { classes, most: 10 });
      const { stats, f1, classes: wanted } = expected[i]!;
      const sizes = { classes, most: 10 };
      f1.forEach((value, k) =>
        expect(figuresAt((k + 1) / 100, detections, targets, sizes).f1 ?? -1).toBeCloseTo(value, 12),
      );
      const best = bestScoreThreshold(detections, targets, sizes);
      const most = Math.max(...f1);
      expect(best === undefined ? Math.min(0, most) : f1[Math.round(100 * best) - 1]).toBe(most);
      statsOf(figures).forEach((value, k) => expect(value ?? -1).toBeCloseTo(stats[k]!, 9));
      figures.classes.forEach(({ ap, ap50, ar100, curve }, c) => {
        const own = wanted[c]!;
        expect(ap ?? -1).toBeCloseTo(own.ap, 9);
        expect(ap50 ?? -1).toBeCloseTo(own.ap50, 9);
        expect(ar100 ?? -1).toBeCloseTo(own.ar100, 9);
        own.precision.forEach((value, r) => expect(curve?.precision[r] ?? -1).toBeCloseTo(value, 9));
        own.score.forEach((value, r) => expect(curve?.score[r] ?? -1).toBeCloseTo(value, 9));
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
