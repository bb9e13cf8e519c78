/**
 * What can be taken out, one row for each: the only file that names all features. `npm run test:without -- NAME` takes a row and its folder out. Modules
 * of cells are loaded when a recipe or a file asks for the feature.
 */
import { boxesAnswers } from './answers/boxes/index.ts';
import { classesAnswers } from './answers/classes/index.ts';
import { labelsAnswers } from './answers/labels/index.ts';
import { maskAnswers } from './answers/mask/index.ts';
import { numbersAnswers } from './answers/numbers/index.ts';
import { tagsAnswers } from './answers/tags/index.ts';
import { vectorAnswers } from './answers/vector/index.ts';
import type { EvaluationText } from './commands/terminal/evaluation.ts';
import type { VectorTools } from './commands/vectors.ts';
import type { TargetReaders } from './data/targets/registry.ts';
import type { SureAnswers } from './distill/answers/sure-answers.ts';
import type { GridAnswers } from './distill/teachers/file-teacher.ts';
import type { DecodedTeacher } from './distill/teachers/teacher-of-file.ts';
import { answerForms } from './recipe/answer-forms.ts';
import type { ShownAnswers } from './run/stages/measure/examples.ts';
import type { Tasks } from './tasks/registry.ts';

/** Module of a cell, which exports the value of the slot under the slot's name. */
type Cell<Name extends string, T> = () => Promise<Readonly<Record<Name, T>>>;

/** Slots of forms of answers. */
interface AnswerCells {
  readonly labels: Cell<'labels', TargetReaders>;
  readonly tasks: Cell<'tasks', Tasks>;
  readonly decodedTeacher?: Cell<'decodedTeacher', DecodedTeacher>;
  readonly gridAnswers?: Cell<'gridAnswers', GridAnswers>;
  readonly sureAnswers?: Cell<'sureAnswers', SureAnswers>;
  readonly shownAnswers?: Cell<'shownAnswers', ShownAnswers>;
  readonly vectorTools?: Cell<'vectorTools', VectorTools>;
  readonly evaluationText: Cell<'evaluationText', EvaluationText>;
}

function answers(row: Parameters<typeof answerForms.add>[0], cells: AnswerCells): void {
  answerForms.add(row, { ...cells });
}

answers(classesAnswers, {
  labels: () => import('./answers/classes/labels.ts'),
  tasks: () => import('./answers/classes/task.ts'),
  evaluationText: () => import('./answers/classes/evaluation.ts'),
});

answers(numbersAnswers, {
  labels: () => import('./answers/numbers/labels.ts'),
  tasks: () => import('./answers/numbers/task.ts'),
  evaluationText: () => import('./answers/numbers/evaluation.ts'),
});

answers(labelsAnswers, {
  labels: () => import('./answers/labels/labels.ts'),
  tasks: () => import('./answers/labels/task.ts'),
  evaluationText: () => import('./answers/labels/evaluation.ts'),
});

answers(tagsAnswers, {
  labels: () => import('./answers/tags/labels.ts'),
  tasks: () => import('./answers/tags/task.ts'),
  shownAnswers: () => import('./answers/tags/example.ts'),
  evaluationText: () => import('./answers/tags/evaluation.ts'),
});

answers(maskAnswers, {
  labels: () => import('./answers/mask/labels.ts'),
  tasks: () => import('./answers/mask/task.ts'),
  gridAnswers: () => import('./answers/mask/grid.ts'),
  shownAnswers: () => import('./answers/mask/example.ts'),
  evaluationText: () => import('./answers/mask/evaluation.ts'),
});

answers(boxesAnswers, {
  labels: () => import('./answers/boxes/labels.ts'),
  tasks: () => import('./answers/boxes/task.ts'),
  decodedTeacher: () => import('./answers/boxes/teacher.ts'),
  sureAnswers: () => import('./answers/boxes/sure.ts'),
  shownAnswers: () => import('./answers/boxes/example.ts'),
  evaluationText: () => import('./answers/boxes/evaluation.ts'),
});

answers(vectorAnswers, {
  labels: () => import('./answers/vector/labels.ts'),
  tasks: () => import('./answers/vector/tasks.ts'),
  vectorTools: () => import('./answers/vector/tools/index.ts'),
  evaluationText: () => import('./answers/vector/evaluation.ts'),
});
