import { percent } from '../../base/numbers.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { boxesOf } from '../../data/targets/boxes.ts';
import { isAboveZero, PROBABLY } from '../../tasks/columns.ts';
import { fieldValues, joinedValues, widthOfFields } from '../../tasks/fields.ts';
import { meanAveragePrecision, boxFigures } from './average-precision.ts';
import { asTargetRow, boxesOfAll, detectionsOf, detectionsText, pictureF1, SHOWN_SCORE } from './detections.ts';
import type { Detection, Task, Tuning } from '../../tasks/task.ts';
import { ROW } from './suppression.ts';
import { bestScoreThreshold, figuresAt } from './threshold.ts';

/** A form of answers to pictures, and how detections follow from it. */
interface AnswerReading {
  /** Number of elements of an answer. */
  readonly width: number;
  /** Rows of detections [n, ROW] of answers [n, width]; see `suppressed`. */
  readonly found: (answers: Float32Array) => Float32Array;
  /** See `Task.boxes`. */
  readonly overlap: number;
}

interface Pictures {
  readonly names: readonly string[];
  /** Places for boxes in a row of targets, and the length of the row. */
  readonly maxBoxes: number;
  readonly targetWidth: number;
  /** Number of pixels of an input picture. */
  readonly pixels: number;
}

/** Score, description and texts of answers whose detections `found` reads. */
export function judged({ width, found, overlap }: AnswerReading, { names, maxBoxes, targetWidth, pixels }: Pictures) {
  const classes = names.length;
  // Collected of each sample.
  const kept = [
    { name: 'found', shape: [ROW] },
    { name: 'truth', shape: [targetWidth] },
  ];
  const sizes = { classes, most: maxBoxes };
  const apOf = (rows: Float32Array, targets: TargetValues): number => meanAveragePrecision(rows, targets, sizes) ?? 0;
  const thresholdOf = (answers: Float32Array, targets: TargetValues) =>
    bestScoreThreshold(found(answers), targets, sizes);
  const eachF1 = (rows: Float32Array, targets: TargetValues): number[] => {
    const truth = boxesOfAll(targets, targetWidth);
    return shownIn(rows).map((own, i) => pictureF1(own, truth[i]!));
  };
  const rowOf = (answers: Float32Array, row: number): Float32Array =>
    found(answers.subarray(row * width, (row + 1) * width));
  return {
    collects: {
      width: widthOfFields(kept),
      of: (answers, targets) => {
        const rows = found(answers);
        return joinedValues({ found: rows, truth: targets as Float32Array }, kept, rows.length / ROW);
      },
      scoreOf: (collected) => apOf(fieldValues(collected, kept, 'found'), fieldValues(collected, kept, 'truth')),
    },
    scoreOf: (answers, targets) => apOf(found(answers), targets),
    describe: (answers: Float32Array, targets: TargetValues, tuning?: Tuning) => {
      const rows = found(answers);
      const threshold = tuning && (tuning.threshold ?? thresholdOf(tuning.answers, tuning.targets));
      const atThreshold = threshold === undefined ? undefined : figuresAt(threshold, rows, targets, sizes);
      return { boxes: { ...described(boxFigures(rows, targets, sizes), names), ...(atThreshold && { atThreshold }) } };
    },
    boxes: {
      given: (answers, row, least = SHOWN_SCORE) => detectionsOf(rowOf(answers, row), least),
      there: (targets, row) => boxesOf(targets, row * targetWidth, maxBoxes),
      overlap,
      threshold: thresholdOf,
    },
    textOf: (answers, row) => detectionsText(detectionsOf(rowOf(answers, row), SHOWN_SCORE), names),
    disagreement: (answers, others) => {
      const theirs = shownIn(found(others));
      return Float32Array.from(shownIn(found(answers)), (own, i) => 1 - pictureF1(own, theirs[i]!));
    },
    asTargets: (answers) => {
      const rows = found(answers);
      const out = new Float32Array((rows.length / ROW) * targetWidth);
      for (let i = 0; i < rows.length / ROW; i++)
        out.set(asTargetRow(rows.subarray(i * ROW, (i + 1) * ROW), pixels, targetWidth), i * targetWidth);
      return out;
    },
    // Tested picture by picture, because average precision is no sum over pictures.
    isWorse: (answers, than, targets) => {
      const own = eachF1(found(answers), targets);
      return isAboveZero(eachF1(found(than), targets).map((value, i) => value - own[i]!));
    },
    skill: (answers, targets) => {
      const rows = found(answers);
      const moved = new Float32Array(rows.length);
      moved.set(rows.subarray(ROW));
      moved.set(rows.subarray(0, ROW), rows.length - ROW);
      const truth = boxesOfAll(targets, targetWidth);
      // As many boxes as the picture has, because a detector may be right though none of its scores is high.
      const best = (of: Float32Array): number[] =>
        shownIn(of, 0).map((own, i) => pictureF1(own.slice(0, truth[i]!.length), truth[i]!));
      const others = best(moved);
      return {
        score: apOf(rows, targets),
        isBetter: isAboveZero(best(rows).map((value, i) => value - others[i]!)),
        chance: `the same boxes on other pictures have a mAP of ${percent(apOf(moved, targets), 1)}`,
      };
    },
    stuck: (name, answers, _truth, why = PROBABLY) => {
      const rows = found(answers);
      const isEmpty = shownIn(rows, 0.05).every((own) => own.length === 0);
      return isEmpty ? `${name}: gives no box in ${rows.length / ROW} pictures a score of 0.05; ${why}` : undefined;
    },
  } satisfies Partial<Task>;
}

/** Detections of each picture with at least this score. */
function shownIn(rows: Float32Array, least = SHOWN_SCORE): Detection[][] {
  return Array.from({ length: rows.length / ROW }, (_, i) =>
    detectionsOf(rows.subarray(i * ROW, (i + 1) * ROW), least),
  );
}

/** The figures with the names of the classes, for a report. */
function described(
  { bySize: { small, medium, large }, classes, ...whole }: ReturnType<typeof boxFigures>,
  names: readonly string[],
) {
  return {
    ap: whole.ap,
    ap50: whole.ap50,
    ap75: whole.ap75,
    recall: whole.ar100,
    small: small.ap,
    medium: medium.ap,
    large: large.ap,
    rows: classes.map(({ boxes, ap, ap50, ar100, curve }, c) => ({
      name: names[c]!,
      there: boxes,
      ap,
      ap50,
      recall: ar100,
      ...(curve && { precision: curve.precision }),
    })),
  };
}
