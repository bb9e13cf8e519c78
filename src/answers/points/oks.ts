import { mean } from '../../base/math/statistics.ts';
import { ABSENT, labelledPoints, sizeOfPicture } from './layout.ts';
import { DECODED_WIDTH } from './simcc.ts';

/**
 * Average precision of points by COCO's rules, as pycocotools' `COCOeval` of keypoints computes it where each picture has one object and one answer, whose score is
 * the mean of its points' scores. A figure is null where pycocotools has -1: no object counts.
 */
export interface OksFigures {
  /** Mean over ten thresholds of the similarity of points, 0.50 to 0.95. */
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly ap75: number | null;
  /** Share of objects found, mean over the thresholds. */
  readonly recall: number | null;
}

/** Thresholds and recalls as numpy's `linspace` gives them. */
const THRESHOLDS = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9)));
const RECALLS = Array.from({ length: 101 }, (_, i) => i * 0.01);
const [AT_50, AT_75] = [0, 5];
/** numpy's `np.spacing(1)`, which pycocotools adds to areas and counts. */
const EPSILON = 2 ** -52;

interface Judged {
  readonly score: number;
  readonly similarity: number;
}

/** Figures of answers [n, points, 3] on targets. Objects without a labelled point do not count. Equal scores are in the order of the pictures. */
export function oksFigures(
  decoded: ArrayLike<number>,
  targets: ArrayLike<number>,
  sigmas: readonly number[],
): OksFigures {
  const judged = judgedIn(decoded, targets, sigmas).sort((a, b) => b.score - a.score);
  if (judged.length === 0) return { ap: null, ap50: null, ap75: null, recall: null };
  const found = (t: number): boolean[] => judged.map(({ similarity }) => similarity >= THRESHOLDS[t]!);
  const precisions = THRESHOLDS.map((_, t) => mean(precisionCurve(found(t))));
  const recalls = THRESHOLDS.map((_, t) => found(t).filter(Boolean).length / judged.length);
  return { ap: mean(precisions), ap50: precisions[AT_50]!, ap75: precisions[AT_75]!, recall: mean(recalls) };
}

function judgedIn(decoded: ArrayLike<number>, targets: ArrayLike<number>, sigmas: readonly number[]): Judged[] {
  const count = sigmas.length;
  const each = DECODED_WIDTH * count;
  const width = (targets.length * each) / decoded.length;
  return Array.from({ length: decoded.length / each }, (_, i): Judged[] => {
    const { width: across, height: down, area } = sizeOfPicture(targets, i * width);
    let [sum, known, score] = [0, 0, 0];
    labelledPoints(targets, i * width, count).forEach(({ x, y, visibility }, k) => {
      const at = i * each + k * DECODED_WIDTH;
      score += decoded[at + 2]! / count;
      if (visibility === ABSENT) return;
      const squared = ((decoded[at]! - x) * across) ** 2 + ((decoded[at + 1]! - y) * down) ** 2;
      // Object keypoint similarity (cocodataset.org, "keypoint evaluation").
      sum += Math.exp(-squared / (2 * sigmas[k]!) ** 2 / (area + EPSILON) / 2);
      known++;
    });
    return known === 0 ? [] : [{ score, similarity: sum / known }];
  }).flat();
}

/** Precision at each recall: the highest at this recall or a higher recall. */
function precisionCurve(found: readonly boolean[]): number[] {
  const [recalls, precisions] = [new Float64Array(found.length), new Float64Array(found.length)];
  let right = 0;
  found.forEach((isFound, i) => {
    right += Number(isFound);
    recalls[i] = right / found.length;
    precisions[i] = right / (i + 1 + EPSILON);
  });
  for (let i = found.length - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  let at = 0;
  return RECALLS.map((recall) => {
    while (at < found.length && recalls[at]! < recall) at++;
    return precisions[at] ?? 0;
  });
}
