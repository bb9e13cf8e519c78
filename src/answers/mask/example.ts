import { pictureOf } from '../../data/pictures/thumbnail.ts';
import { colouredMask } from '../../report/mask-colours.ts';
import { besideSample } from '../../run/stages/measure/examples.ts';
import type { ShownAnswers } from '../../run/stages/measure/examples.ts';

/** A picture with the coloured masks of label, teacher, student and its int8 file. */
export const shownAnswers: ShownAnswers = async (of) => {
  const { task, row, targets, teacher, student, int8, isLabelled } = of;
  const { size, given, there } = task.masks!;
  const [height, width] = size;
  const picture = (mask: ArrayLike<number>): Promise<string> =>
    pictureOf(colouredMask(mask, task.names.length), { width, height, channels: 3 });
  const masks = {
    ...(isLabelled && { label: await picture(there(targets, row)) }),
    teacher: await picture(given(teacher, row)),
    student: await picture(given(student, row)),
    ...(int8 && { int8: await picture(given(int8, row)) }),
  };
  return { ...besideSample(of), masks };
};
