import { matchedDetections } from './average-precision.ts';

/** Lowest score of a box that is shown where nothing states another. */
export const USUAL_THRESHOLD = 0.3;

/** The threshold that the metadata of a file state; undefined where they state none, or no score. */
export function statedThreshold(metadata: ReadonlyMap<string, string>): number | undefined {
  const stated = Number(metadata.get('threshold') ?? NaN);
  return stated >= 0 && stated <= 1 ? stated : undefined;
}

/** Figures of the detections with at least a score, over all classes together, at an overlap of 0.5. */
export interface ThresholdFigures {
  readonly threshold: number;
  /** Share of these detections that found a box; null where there is none. */
  readonly precision: number | null;
  /** Share of the boxes that they found; null where there is none. */
  readonly recall: number | null;
  /** Null where there are neither. */
  readonly f1: number | null;
}

type Sizes = Parameters<typeof matchedDetections>[2];

/** Scores from which thresholds are chosen: hundredths, which float files and those of fewer bits share. */
const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

/**
 * Threshold with the best F1 of detections on targets (see `boxFigures`): the middle of the first run of equally good ones. Undefined where no detection is
 * right at any.
 */
export function bestScoreThreshold(
  detections: ArrayLike<number>,
  targets: ArrayLike<number>,
  sizes: Sizes,
): number | undefined {
  const matched = matchedDetections(detections, targets, sizes);
  const f1 = THRESHOLDS.map((threshold) => at(threshold, matched).f1 ?? 0);
  const best = Math.max(...f1);
  if (best === 0) return undefined;
  const first = f1.indexOf(best);
  const behind = f1.findIndex((value, i) => i > first && value !== best);
  const last = behind === -1 ? f1.length - 1 : behind - 1;
  return THRESHOLDS[(first + last) >> 1];
}

/** Figures of detections on targets with a threshold. */
export function figuresAt(
  threshold: number,
  detections: ArrayLike<number>,
  targets: ArrayLike<number>,
  sizes: Sizes,
): ThresholdFigures {
  return at(threshold, matchedDetections(detections, targets, sizes));
}

function at(threshold: number, { boxes, detections }: ReturnType<typeof matchedDetections>): ThresholdFigures {
  const given = detections.filter(({ score }) => score >= threshold);
  const right = given.filter(({ isFound }) => isFound).length;
  const share = (of: number): number | null => (of === 0 ? null : right / of);
  return {
    threshold,
    precision: share(given.length),
    recall: share(boxes),
    f1: given.length + boxes === 0 ? null : (2 * right) / (given.length + boxes),
  };
}
