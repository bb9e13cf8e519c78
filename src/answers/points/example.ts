import type { Dataset, TargetValues } from '../../data/dataset.ts';
import type { MarkedPoint } from '../../report/point-marks.ts';
import { besideSample } from '../../run/stages/measure/examples.ts';
import type { ShownAnswers } from '../../run/stages/measure/examples.ts';
import type { DrawnTargets } from '../../tools/preview.ts';
import { ABSENT, labelledPoints, pointsWidth, VISIBLE } from './layout.ts';
import { decodedPoints, DECODED_WIDTH } from './simcc.ts';

/** A picture with the points of label, teacher and student. */
export const shownAnswers: ShownAnswers = (of) => {
  const { task, row, targets, isLabelled, skeleton = [] } = of;
  const { names, width } = task;
  const bins = width / names.length / 2;
  const given = (answers: Float32Array): MarkedPoint[] => {
    const found = decodedPoints(answers.subarray(row * width, (row + 1) * width), bins);
    return names.map((name, point) => {
      const [x, y, score] = found.subarray(point * DECODED_WIDTH) as unknown as [number, number, number];
      return { point, name, x, y, score };
    });
  };
  const points = {
    lines: skeleton,
    ...(isLabelled && { label: labelled(targets, row, names) }),
    teacher: given(of.teacher),
    student: given(of.student),
  };
  return { ...besideSample(of), points };
};

/** The labelled points of a sample. */
function labelled(targets: TargetValues, row: number, names: readonly string[]): MarkedPoint[] {
  return labelledPoints(targets, row * pointsWidth(names.length), names.length).flatMap(
    ({ x, y, visibility }, point) =>
      visibility === ABSENT
        ? []
        : [{ point, name: names[point]!, x, y, ...(visibility !== VISIBLE && { isHidden: true }) }],
  );
}

/** The labelled points of a sample and the skeleton. */
export const drawnTargets: DrawnTargets = ({ classNames, points }: Dataset, targets, row) => ({
  points: labelled(targets, row, classNames),
  lines: points!.skeleton,
});
