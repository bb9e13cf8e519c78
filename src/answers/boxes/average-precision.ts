import { mean } from '../../base/math/statistics.ts';
import { areaOf, boxesOf, boxesWidth, picturePixels } from '../../data/targets/boxes.ts';
import type { Corners, TargetBox } from '../../data/targets/boxes.ts';
import { meanOf } from '../../tasks/columns.ts';
import { DETECTION_WIDTH, MAX_DETECTIONS, overlapOf } from './suppression.ts';

/**
 * Average precision and average recall of boxes by COCO's rules, as pycocotools' `COCOeval` computes them (Lin et al. 2014, "Microsoft COCO: common
 * objects in context"). A figure is null where pycocotools has -1: no class has a box that counts.
 */
export interface BoxFigures {
  /** Average precision, mean over ten thresholds of the intersection over union, 0.50 to 0.95. */
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly ap75: number | null;
  /** Of objects of less than 32² pixels, of 32² to 96², and of more. */
  readonly bySize: Readonly<Record<SizeName, { readonly ap: number | null; readonly ar: number | null }>>;
  /** Average recall with at most 1, 10 and 100 detections of a class in a picture, mean over the ten thresholds. */
  readonly ar1: number | null;
  readonly ar10: number | null;
  readonly ar100: number | null;
  readonly classes: readonly ClassFigures[];
}

interface ClassFigures {
  /** Number of boxes that count. */
  readonly boxes: number;
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly ar100: number | null;
  /**
   * At an intersection over union of 0.5: precision at a recall of 0, 0.01, … 1, and the lowest score of the detections that reach this recall;
   * both 0 where no detections do. Undefined without boxes that count.
   */
  readonly curve: { readonly precision: readonly number[]; readonly score: readonly number[] } | undefined;
}

/** Thresholds and recalls as numpy's `linspace` gives them. */
const THRESHOLDS = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));
const RECALLS = Array.from({ length: 101 }, (_, i) => i * 0.01);
const [AT_50, AT_75] = [0, 5];
/** Bits of all thresholds. */
const ALL = 2 ** THRESHOLDS.length - 1;

type SizeName = 'small' | 'medium' | 'large';
/** Areas in pixels, both ends included. */
const AREAS = { all: [0, 1e10], small: [0, 32 ** 2], medium: [32 ** 2, 96 ** 2], large: [96 ** 2, 1e10] } as const;

interface Detection extends Corners {
  readonly score: number;
  /** In pixels of the original picture. */
  readonly area: number;
}

/** Boxes and detections of a class in a picture. */
interface Scene {
  readonly boxes: readonly TargetBox[];
  /** The highest score first. */
  readonly detections: readonly Detection[];
  /** [detections][boxes] intersection over union; over the area of the detection for ignored boxes. */
  readonly overlaps: readonly (readonly number[])[];
}

/** A detection over the whole set. */
interface Judged {
  readonly score: number;
  /** Position among the detections of its class in its picture, the highest score first. */
  readonly rank: number;
  /** Bits of the thresholds at which it found a box, and of those at which it does not count. */
  readonly found: number;
  readonly ignored: number;
}

/**
 * Figures of detections [pictures, MAX_DETECTIONS · DETECTION_WIDTH] on targets [pictures, boxesWidth(most)]. Equal scores are in the order of the
 * pictures, in a picture in the order of the row.
 */
export function boxFigures(
  detections: ArrayLike<number>,
  targets: ArrayLike<number>,
  { classes, most }: { readonly classes: number; readonly most: number },
): BoxFigures {
  const scenes = scenesByClass(detections, targets, classes, most);
  const over = (area: keyof typeof AREAS) => scenes.map((of) => accumulated(of, AREAS[area]));
  const [all, small, medium, large] = [over('all'), over('small'), over('medium'), over('large')];
  const apAt = (threshold: number) => meanOver(all, ({ precision }) => mean(precision[threshold]!));
  const ar = (of: readonly Accumulated[], most: 1 | 10 | 100) => meanOver(of, ({ recall }) => mean(recall[most]));
  const ofSize = (of: readonly Accumulated[]) => ({ ap: apOf(of), ar: ar(of, 100) });
  return {
    ap: apOf(all),
    ap50: apAt(AT_50),
    ap75: apAt(AT_75),
    bySize: { small: ofSize(small), medium: ofSize(medium), large: ofSize(large) },
    ar1: ar(all, 1),
    ar10: ar(all, 10),
    ar100: ar(all, 100),
    classes: all.map((own) => ({
      boxes: own?.boxes ?? 0,
      ap: apOf([own]),
      ar100: ar([own], 100),
      ap50: own === undefined ? null : mean(own.precision[AT_50]!),
      curve: own && { precision: own.precision[AT_50]!, score: own.scores },
    })),
  };
}

/** `BoxFigures.ap` alone, in a quarter of the time. */
export function meanAveragePrecision(
  detections: ArrayLike<number>,
  targets: ArrayLike<number>,
  { classes, most }: { readonly classes: number; readonly most: number },
): number | null {
  return apOf(scenesByClass(detections, targets, classes, most).map((of) => accumulated(of, AREAS.all)));
}

/** Number of the boxes of all classes that count, and detections that count with whether they found one of them, at an overlap of 0.5. */
export function matchedDetections(
  detections: ArrayLike<number>,
  targets: ArrayLike<number>,
  { classes, most }: { readonly classes: number; readonly most: number },
): { readonly boxes: number; readonly detections: readonly { readonly score: number; readonly isFound: boolean }[] } {
  const all = scenesByClass(detections, targets, classes, most).map((scenes) => judgedIn(scenes, AREAS.all));
  return {
    boxes: all.reduce((sum, { boxes }) => sum + boxes, 0),
    detections: all.flatMap(({ judged }) =>
      judged
        .filter(({ ignored }) => ((ignored >> AT_50) & 1) === 0)
        .map(({ score, found }) => ({ score, isFound: ((found >> AT_50) & 1) === 1 })),
    ),
  };
}

/** Mean over thresholds and recalls, then over classes. */
function apOf(of: readonly Accumulated[]): number | null {
  return meanOver(of, ({ precision }) => mean(precision.map(mean)));
}

/** Boxes and detections of each class, of all pictures that have any. */
function scenesByClass(
  detections: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
  most: number,
): Scene[][] {
  const scenes: Scene[][] = Array.from({ length: classes }, () => []);
  const width = boxesWidth(most);
  for (let picture = 0; picture < targets.length / width; picture++) {
    const boxes = boxesOf(targets, picture * width, most);
    const found = detectionsOf(detections, picture, picturePixels(targets, picture * width));
    for (const label of new Set([...boxes.map((box) => box.label), ...found.map((one) => one.label)])) {
      const own = boxes.filter((box) => box.label === label);
      const detected = found.filter((one) => one.label === label).sort((a, b) => b.score - a.score);
      const overlaps = detected.map((one) => own.map((box) => overlapOf(one, box, box.isIgnored ? 'first' : 'union')));
      scenes[label]!.push({ boxes: own, detections: detected, overlaps });
    }
  }
  return scenes;
}

function detectionsOf(
  rows: ArrayLike<number>,
  picture: number,
  pixels: number,
): (Detection & { readonly label: number })[] {
  const found: (Detection & { readonly label: number })[] = [];
  for (let i = 0; i < MAX_DETECTIONS; i++) {
    const at = (picture * MAX_DETECTIONS + i) * DETECTION_WIDTH;
    const label = rows[at]!;
    if (label < 0) continue;
    const corners = { xmin: rows[at + 2]!, ymin: rows[at + 3]!, xmax: rows[at + 4]!, ymax: rows[at + 5]! };
    found.push({ label, score: rows[at + 1]!, ...corners, area: areaOf(corners) * pixels });
  }
  return found;
}

/** Figures of a class over objects of some area; undefined if no box counts. */
type Accumulated =
  | {
      readonly boxes: number;
      /** [thresholds][recalls]. */
      readonly precision: readonly (readonly number[])[];
      /** [recalls] at the first threshold. */
      readonly scores: readonly number[];
      /** By the largest number of detections in a picture: [thresholds]. */
      readonly recall: Readonly<Record<1 | 10 | 100, readonly number[]>>;
    }
  | undefined;

/** Number of the boxes of a class that count, and its detections, the highest score first. */
function judgedIn(
  scenes: readonly Scene[],
  area: readonly [number, number],
): { readonly boxes: number; readonly judged: readonly Judged[] } {
  const isOutside = (pixels: number): boolean => pixels < area[0] || pixels > area[1];
  const counts = (box: TargetBox): boolean => !box.isIgnored && !isOutside(box.area);
  const boxes = scenes.reduce((sum, scene) => sum + scene.boxes.filter(counts).length, 0);
  const judged = scenes.flatMap((scene) => judge(scene, counts, isOutside)).sort((a, b) => b.score - a.score);
  return { boxes, judged };
}

function accumulated(scenes: readonly Scene[], area: readonly [number, number]): Accumulated {
  const { boxes, judged } = judgedIn(scenes, area);
  if (boxes === 0) return undefined;
  const curves = THRESHOLDS.map((_, t) => curveOf(judged, t, boxes));
  const recall = (most: number): number[] =>
    THRESHOLDS.map(
      (_, t) => judged.reduce((sum, { rank, found }) => sum + (rank < most ? (found >> t) & 1 : 0), 0) / boxes,
    );
  return {
    boxes,
    precision: curves.map(({ precision }) => precision),
    scores: curves[AT_50]!.scores,
    recall: { 1: recall(1), 10: recall(10), 100: recall(100) },
  };
}

/** Gives each detection, the highest score first, the box that it overlaps most, at each threshold. */
function judge(
  { boxes, detections, overlaps }: Scene,
  counts: (box: TargetBox) => boolean,
  isOutside: (pixels: number) => boolean,
): Judged[] {
  // Boxes that count are taken first: others are found only by detections that overlap none of them enough.
  const order = boxes.map((_, i) => i).sort((a, b) => Number(counts(boxes[b]!)) - Number(counts(boxes[a]!)));
  /** Bits of the thresholds at which a box is taken. */
  const taken = boxes.map(() => 0);
  return detections.map(({ score, area }, rank) => {
    const own = overlaps[rank]!;
    let [found, ignored] = [0, isOutside(area) ? ALL : 0];
    // Most detections overlap no box enough for any threshold.
    if (!own.some((overlap) => overlap >= THRESHOLDS[AT_50]!)) return { score, rank, found, ignored };
    for (let t = 0; t < THRESHOLDS.length; t++) {
      let [best, match] = [Math.min(THRESHOLDS[t]!, 1 - 1e-10), -1];
      for (const i of order) {
        // Any number of detections may lie on an ignored box, such as a crowd.
        if ((taken[i]! >> t) & 1 && !boxes[i]!.isIgnored) continue;
        if (match !== -1 && counts(boxes[match]!) && !counts(boxes[i]!)) break;
        if (own[i]! < best) continue;
        [best, match] = [own[i]!, i];
      }
      if (match === -1) continue;
      taken[match]! |= 1 << t;
      if (counts(boxes[match]!)) [found, ignored] = [found | (1 << t), ignored & ~(1 << t)];
      else ignored |= 1 << t;
    }
    return { score, rank, found, ignored };
  });
}

/** Precision at each recall of `RECALLS`: the highest at this recall or a higher recall. */
function curveOf(judged: readonly Judged[], t: number, boxes: number): { precision: number[]; scores: number[] } {
  const [recalls, precisions] = [new Float64Array(judged.length), new Float64Array(judged.length)];
  let [right, counted] = [0, 0];
  judged.forEach(({ found, ignored }, i) => {
    right += (found >> t) & 1;
    counted += 1 - ((ignored >> t) & 1);
    recalls[i] = right / boxes;
    precisions[i] = counted === 0 ? 0 : right / counted;
  });
  for (let i = judged.length - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let at = 0;
  const reached = RECALLS.map((recall) => {
    while (at < judged.length && recalls[at]! < recall) at++;
    return at;
  });
  return { precision: reached.map((i) => precisions[i] ?? 0), scores: reached.map((i) => judged[i]?.score ?? 0) };
}

/** Mean over the classes with boxes that count; null if there is none. */
function meanOver(of: readonly Accumulated[], figure: (own: NonNullable<Accumulated>) => number): number | null {
  return meanOf(of.map((own) => (own === undefined ? null : figure(own))));
}
