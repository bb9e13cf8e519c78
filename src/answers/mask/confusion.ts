import type { TargetValues } from '../../data/dataset.ts';
import { IGNORED } from '../../data/targets/ignored.ts';
import { MOST_IN_MATRIX } from '../../tasks/classification/classes.ts';
import type { MaskReport } from './described.ts';

/** Pixels of each class: with it in truth and answer, in the answer, and in truth. */
interface ClassPixels {
  readonly right: readonly number[];
  readonly given: readonly number[];
  readonly there: readonly number[];
}

/** Confusion matrix of pixels over a set of masks: `counts[true class][given class]`. */
export class PixelConfusion implements ClassPixels {
  readonly counts: readonly (readonly number[])[];

  constructor(counts: readonly (readonly number[])[]) {
    this.counts = counts;
  }

  get right(): number[] {
    return this.counts.map((row, c) => row[c]!);
  }

  get there(): number[] {
    return this.counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  }

  get given(): number[] {
    return this.counts.map((_, c) => this.counts.reduce((sum, row) => sum + row[c]!, 0));
  }

  /** Part of a report. */
  described(names: readonly string[]): MaskReport {
    const { right, given, there } = this;
    const pixels = there.reduce((sum, count) => sum + count, 0);
    return {
      pixels,
      rightPixels: pixels === 0 ? 0 : right.reduce((sum, count) => sum + count, 0) / pixels,
      rows: names.map((name, c) => ({
        name,
        there: there[c]!,
        given: given[c]!,
        right: right[c]!,
        iou: iouOf(this, c),
        dice: diceOf(this, c),
      })),
      ...(names.length <= MOST_IN_MATRIX && { counts: this.counts }),
    };
  }
}

/** Confusion matrix of masks [n, pixels], without the pixels that have no class. */
export function confusionOfMasks(given: Uint8Array, truth: TargetValues, classes: number): PixelConfusion {
  const flat = new Float64Array(classes * classes);
  for (let at = 0; at < truth.length; at++) if (truth[at] !== IGNORED) flat[truth[at]! * classes + given[at]!]!++;
  return new PixelConfusion(
    Array.from({ length: classes }, (_, c) => [...flat.subarray(c * classes, (c + 1) * classes)]),
  );
}

/** Intersection over union of a class over the whole set; null for a class in neither truth nor answers. */
function iouOf({ right, given, there }: ClassPixels, c: number): number | null {
  const union = given[c]! + there[c]! - right[c]!;
  return union === 0 ? null : right[c]! / union;
}

/** Twice the intersection over the sum of both areas; null for a class in neither. */
function diceOf({ right, given, there }: ClassPixels, c: number): number | null {
  const both = given[c]! + there[c]!;
  return both === 0 ? null : (2 * right[c]!) / both;
}

/**
 * Mean intersection over union, over the classes that truth or answers have, from one confusion matrix over the whole set (Everingham et al. 2015,
 * "The PASCAL visual object classes challenge: a retrospective"). 0 for a set without a labelled pixel.
 */
export function meanIou(of: ClassPixels): number {
  const known = of.right.map((_, c) => iouOf(of, c)).filter((iou) => iou !== null);
  return known.length === 0 ? 0 : known.reduce((sum, iou) => sum + iou, 0) / known.length;
}
