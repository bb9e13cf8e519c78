import type { ShownAnswers } from '../../run/stages/measure/examples.ts';

/** A sentence with the entities of label, teacher and student. */
export const shownAnswers: ShownAnswers = ({ task, row, targets, teacher, student, shown: { texts: words = [] } }) => {
  const marked = {
    label: task.entities!.there(targets, row),
    teacher: task.entities!.given(teacher, row, targets),
    student: task.entities!.given(student, row, targets),
  };
  const said = (who: keyof typeof marked): string =>
    marked[who].map(({ type, from, to }) => `${type} ${words.slice(from, to + 1).join(' ')}`).join(', ') || 'none';
  return { marked: { words, ...marked }, label: said('label'), teacher: said('teacher'), student: said('student') };
};
