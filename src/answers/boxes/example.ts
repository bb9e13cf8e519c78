import type { TargetBox } from '../../data/targets/boxes.ts';
import { besideSample } from '../../run/stages/measure/examples.ts';
import type { ShownAnswers } from '../../run/stages/measure/examples.ts';
import { detectionsText } from './detections.ts';
import type { Detection } from '../../tasks/task.ts';

/** A picture with the boxes of label, teacher and student. */
export const shownAnswers: ShownAnswers = (of) => {
  const { task, row, targets, least, isLabelled } = of;
  const { given, there } = task.boxes!;
  const [teacher, student] = (['teacher', 'student'] as const).map((who) => given(of[who], row, least[who]));
  const said = (found: readonly Detection[] = []): string => detectionsText(found, task.names);
  const shown = (boxes: readonly (Detection | TargetBox)[]) =>
    boxes.map(({ label, xmin, ymin, xmax, ymax, ...more }) => ({
      name: task.names[label]!,
      xmin,
      ymin,
      xmax,
      ymax,
      ...('score' in more && { score: more.score }),
    }));
  const boxes = {
    ...(isLabelled && { label: shown(there(targets, row)) }),
    teacher: shown(teacher!),
    student: shown(student!),
  };
  return { ...besideSample(of), teacher: said(teacher), student: said(student), boxes };
};
