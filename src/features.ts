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
import { moreCommands } from './commands/options/command.ts';
import { pageWatcher } from './commands/options/page.ts';
import { watchers } from './commands/options/watch.ts';
import { serveCommand } from './commands/serve.ts';
import { answerForms } from './recipe/answer-forms.ts';
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
  readonly said: Cell<'said', SaidForm>;
  readonly drift?: Cell<'drift', DriftWatchOf>;
}

function answers(row: Parameters<typeof answerForms.add>[0], cells: AnswerCells): void {
  answerForms.add(row, { ...cells });
}

answers(classesAnswers, {
  tasks: () => import('./answers/classes/task.ts'),
  said: () => import('./answers/classes/said.ts'),
  drift: () => import('./answers/classes/drift.ts'),
});
answers(numbersAnswers, {
  tasks: () => import('./answers/numbers/task.ts'),
  said: () => import('./answers/numbers/said.ts'),
});
answers(labelsAnswers, {
  tasks: () => import('./answers/labels/task.ts'),
  said: () => import('./answers/labels/said.ts'),
});
answers(tagsAnswers, {
  tasks: () => import('./answers/tags/task.ts'),
  said: () => import('./answers/tags/said.ts'),
});
answers(maskAnswers, {
  tasks: () => import('./answers/mask/task.ts'),
  said: () => import('./answers/mask/said.ts'),
});
answers(boxesAnswers, {
  tasks: () => import('./answers/boxes/task.ts'),
  said: () => import('./answers/boxes/said.ts'),
});
answers(vectorAnswers, {
  tasks: () => import('./answers/vector/tasks.ts'),
  said: () => import('./answers/vector/said.ts'),
});

moreCommands.add(serveCommand);

watchers.add(pageWatcher);

/** Slots of pages of the server. */
interface PageCells {
  readonly pageAsset?: Cell<'pageAsset', PageAsset>;
}

function page(cells: PageCells): void {
  serverPages.add({ name: 'page' }, { ...cells });
}

page({ pageAsset: () => import('./page/assets.ts') });
