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
import type { EvaluationText } from './commands/terminal/evaluation.ts';
import { answerForms } from './recipe/answer-forms.ts';
import type { Connect } from './run/processes/collectives.ts';
import type { Ending } from './ship/answer-ending.ts';
import type { MediaPipeMetadata } from './ship/description.ts';
import type { KitForm } from './ship/kit/forms.ts';
import type { FormTasks } from './ship/mediapipe/folder.ts';
import type { PipelineForm } from './ship/transformers/config.ts';
import type { ShownAnswers } from './run/stages/measure/examples.ts';
import { moreCommands } from './commands/commands.ts';
import { pageWatcher } from './commands/options/page.ts';
import { watchers } from './commands/options/watch.ts';
import { serveRow } from './commands/serve-row.ts';
import type { DriftWatchOf } from './serve/drift/watch.ts';
import { serverPages } from './serve/http/page.ts';
import type { PageAsset } from './serve/http/page.ts';
import type { SaidForm } from './serve/v1/forms.ts';
import type { Tasks } from './tasks/registry.ts';

/** Module of a cell, which exports the value of the slot under the slot's name. */
type Cell<Name extends string, T> = () => Promise<Readonly<Record<Name, T>>>;

/** Slots of forms of answers. */
interface AnswerCells {
  readonly tasks: Cell<'tasks', Tasks>;
  /** Files with other answers than logits. */
  readonly ending?: Cell<'ending', Ending>;
  readonly kit?: Cell<'kit', KitForm>;
  readonly mediapipe?: Cell<'mediapipe', FormTasks>;
  readonly tfliteMetadata?: Cell<'tfliteMetadata', MediaPipeMetadata>;
  readonly transformers?: Cell<'transformers', PipelineForm>;
  readonly shownAnswers?: Cell<'shownAnswers', ShownAnswers>;
  readonly evaluationText: Cell<'evaluationText', EvaluationText>;
  readonly said: Cell<'said', SaidForm>;
  readonly drift?: Cell<'drift', DriftWatchOf>;
}

function answers(row: Parameters<typeof answerForms.add>[0], cells: AnswerCells): void {
  answerForms.add(row, { ...cells });
}

answers(classesAnswers, {
  tasks: () => import('./answers/classes/task.ts'),
  evaluationText: () => import('./answers/classes/evaluation.ts'),
  said: () => import('./answers/classes/said.ts'),
  drift: () => import('./answers/classes/drift.ts'),
  ending: () => import('./answers/classes/ending.ts'),
  kit: () => import('./answers/classes/kit.ts'),
  mediapipe: () => import('./answers/classes/mediapipe.ts'),
  transformers: () => import('./answers/classes/transformers.ts'),
});
answers(numbersAnswers, {
  tasks: () => import('./answers/numbers/task.ts'),
  evaluationText: () => import('./answers/numbers/evaluation.ts'),
  said: () => import('./answers/numbers/said.ts'),
  kit: () => import('./answers/numbers/kit.ts'),
});
answers(labelsAnswers, {
  tasks: () => import('./answers/labels/task.ts'),
  evaluationText: () => import('./answers/labels/evaluation.ts'),
  said: () => import('./answers/labels/said.ts'),
  ending: () => import('./answers/labels/ending.ts'),
  kit: () => import('./answers/labels/kit.ts'),
  mediapipe: () => import('./answers/labels/mediapipe.ts'),
  transformers: () => import('./answers/labels/transformers.ts'),
});
answers(tagsAnswers, {
  tasks: () => import('./answers/tags/task.ts'),
  shownAnswers: () => import('./answers/tags/example.ts'),
  evaluationText: () => import('./answers/tags/evaluation.ts'),
  said: () => import('./answers/tags/said.ts'),
  kit: () => import('./answers/tags/kit.ts'),
  transformers: () => import('./answers/tags/transformers.ts'),
});
answers(maskAnswers, {
  tasks: () => import('./answers/mask/task.ts'),
  shownAnswers: () => import('./answers/mask/example.ts'),
  evaluationText: () => import('./answers/mask/evaluation.ts'),
  said: () => import('./answers/mask/said.ts'),
  ending: () => import('./answers/mask/ending.ts'),
  kit: () => import('./answers/mask/kit.ts'),
  mediapipe: () => import('./answers/mask/mediapipe.ts'),
  tfliteMetadata: () => import('./answers/mask/tflite-metadata.ts'),
  transformers: () => import('./answers/mask/transformers.ts'),
});
answers(boxesAnswers, {
  tasks: () => import('./answers/boxes/task.ts'),
  shownAnswers: () => import('./answers/boxes/example.ts'),
  evaluationText: () => import('./answers/boxes/evaluation.ts'),
  said: () => import('./answers/boxes/said.ts'),
  ending: () => import('./answers/boxes/ending.ts'),
  kit: () => import('./answers/boxes/kit.ts'),
  mediapipe: () => import('./answers/boxes/mediapipe.ts'),
  tfliteMetadata: () => import('./answers/boxes/tflite-metadata.ts'),
  transformers: () => import('./answers/boxes/transformers.ts'),
});
answers(vectorAnswers, {
  tasks: () => import('./answers/vector/tasks.ts'),
  evaluationText: () => import('./answers/vector/evaluation.ts'),
  said: () => import('./answers/vector/said.ts'),
  kit: () => import('./answers/vector/kit.ts'),
  mediapipe: () => import('./answers/vector/mediapipe.ts'),
  transformers: () => import('./answers/vector/transformers.ts'),
});

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

moreCommands.add(serveRow);

watchers.add(pageWatcher);

/** Slots of pages of the server. */
interface PageCells {
  readonly pageAsset?: Cell<'pageAsset', PageAsset>;
}

function page(cells: PageCells): void {
  serverPages.add({ name: 'page' }, { ...cells });
}

page({ pageAsset: () => import('./page/assets.ts') });
