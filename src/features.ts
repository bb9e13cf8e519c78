/**
 * What can be taken out, one row for each: the only file that names all features. `npm run test:without -- NAME` takes a row and its folder out. Modules
 * of cells are loaded when a recipe or a file asks for the feature.
 */
import { launchers } from './base/launchers.ts';
import { boxesAnswers } from './answers/boxes/index.ts';
import { classesAnswers } from './answers/classes/index.ts';
import { labelsAnswers } from './answers/labels/index.ts';
import { maskAnswers } from './answers/mask/index.ts';
import { numbersAnswers } from './answers/numbers/index.ts';
import { tagsAnswers } from './answers/tags/index.ts';
import { vectorAnswers } from './answers/vector/index.ts';
import { kubernetes } from './places/kubernetes/index.ts';
import { mpi } from './places/mpi/index.ts';
import { slurm } from './places/slurm/index.ts';
import { torchrun } from './places/torchrun/index.ts';
import { answerForms } from './recipe/answer-forms.ts';
import type { Connect } from './run/processes/connections.ts';
import type { Tasks } from './tasks/registry.ts';

/** Module of a cell, which exports the value of the slot under the slot's name. */
type Cell<Name extends string, T> = () => Promise<Readonly<Record<Name, T>>>;

/** Slots of forms of answers. */
interface AnswerCells {
  readonly tasks: Cell<'tasks', Tasks>;
}

function answers(row: Parameters<typeof answerForms.add>[0], cells: AnswerCells): void {
  answerForms.add(row, { ...cells });
}

answers(classesAnswers, { tasks: () => import('./answers/classes/task.ts') });
answers(numbersAnswers, { tasks: () => import('./answers/numbers/task.ts') });
answers(labelsAnswers, { tasks: () => import('./answers/labels/task.ts') });
answers(tagsAnswers, { tasks: () => import('./answers/tags/task.ts') });
answers(maskAnswers, { tasks: () => import('./answers/mask/task.ts') });
answers(boxesAnswers, { tasks: () => import('./answers/boxes/task.ts') });
answers(vectorAnswers, { tasks: () => import('./answers/vector/tasks.ts') });

/** Slots of launchers. */
interface LauncherCells {
  readonly connect?: Cell<'connect', Connect>;
}

function launcher(row: Parameters<typeof launchers.add>[0], cells: LauncherCells = {}): void {
  launchers.add(row, { ...cells });
}

launcher(kubernetes);
launcher(slurm);
launcher(mpi, { connect: () => import('./places/mpi/mpi.ts') });
launcher(torchrun);
