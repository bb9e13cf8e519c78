import path from 'node:path';
import { fileLog } from '../base/log.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { reportJson } from '../report/json.ts';
import { reportMarkdown } from '../report/markdown.ts';
import type { Report } from '../report/types.ts';
import type { StageContext } from './context.ts';
import { loadData } from './data.ts';
import { engineOf } from './engine.ts';
import { logEvent } from './events.ts';
import type { OnEvent } from './events.ts';
import { finishedReport } from './finished.ts';
import { prepareFolder, refuseForeignFolder } from './folder.ts';
import type { Existing } from './folder.ts';
import { lockRun } from './lock.ts';
import { makeReport } from './report.ts';
import type { Student } from './report.ts';
import { openStores } from './stores.ts';
import { collectAnswers } from './stages/answer.ts';
import { exportModel } from './stages/export.ts';
import { measure, measureTeacher } from './stages/measure.ts';
import { trainStudent } from './stages/student.ts';
import { teach } from './stages/teach.ts';

export interface RunOptions {
  /** The folder that holds the folders of the runs. Default: `checkpoints`. */
  readonly out?: string;
  /** What to do with an earlier run of the same name and another recipe. Default: stop and say what changed. */
  readonly existing?: Existing;
  readonly onEvent?: OnEvent;
  /** Stops the run after the current step; what it has is saved and the promise rejects with an `InterruptedError`. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  readonly folder: string;
  readonly report: Report;
}

/** Follow a recipe in the folder of its run, alone there. Killed anywhere and called again, it ends with the same bits. */
export async function runRecipe(given: LoadedRecipe, options: RunOptions = {}): Promise<RunResult> {
  const folder = path.join(options.out ?? 'checkpoints', given.recipe.name);
  await refuseForeignFolder(folder);
  const unlock = await lockRun(folder);
  try {
    const { loaded, resumed } = await prepareFolder(folder, given, options.existing ?? 'ask');
    const before = resumed ? await finishedReport(folder) : undefined;
    if (before !== undefined) return { folder, report: before };
    const log = await fileLog(path.join(folder, 'log.jsonl'));
    const onEvent: OnEvent = (event) => {
      logEvent(log, event);
      options.onEvent?.(event);
    };
    onEvent({ type: 'run', name: loaded.recipe.name, folder, resumed });
    const report = await follow(loaded, folder, onEvent, options.signal).finally(() => log.close());
    return { folder, report };
  } finally {
    await unlock();
  }
}

/**
 *     recipe ─► data ─► 1 teach ─► 2 answer ─► 3 scratch ─► 4 distill ─► 5 export ─► 6 measure ─► 7 report
 *                          │           │            │            │            │            │
 *                          └───────────┴────────────┴─── saved in the run's folder ───────┘
 */
async function follow(
  { recipe }: LoadedRecipe,
  folder: string,
  onEvent: OnEvent,
  signal: AbortSignal | undefined,
): Promise<Report> {
  const stores = await openStores(folder, onEvent);
  const data = await loadData(recipe);
  for (const message of data.warnings) onEvent({ type: 'warning', message });
  const done: StageContext['done'] = async (stage, seconds, figures = {}) => {
    await stores.ledger.add({ stage, seconds, figures, notes: {} });
    onEvent({ type: 'done', stage, figures, seconds });
  };
  const { states } = stores;
  const context: StageContext = { recipe, data, engine: engineOf(recipe), onEvent, signal, states, done };

  // 1. A teacher, opened or trained, and known to be worth listening to.
  const teaching = await teach(context);

  // 2. Its answers to the training samples, for every repeat the same.
  const lessons = teaching && recipe.student && (await collectAnswers(context, teaching, stores.softTargets));

  const students: Student[] = [];
  for (let repeat = 0; recipe.student !== undefined && repeat < recipe.repeats; repeat++) {
    // 3. The student by itself: what the distilled one has to beat.
    if (lessons === undefined || recipe.baseline) {
      students.push({ id: 'scratch', repeat, trained: await trainStudent(context, repeat) });
    }
    // 4. The student and its teacher.
    if (lessons !== undefined) {
      students.push({ id: 'distilled', repeat, trained: await trainStudent(context, repeat, lessons) });
    }
  }

  // 5. Files that ship, each run beside its training graph before it is trusted.
  const files = [];
  if (teaching?.trained !== undefined) {
    files.push(await exportModel(context, { id: 'teacher', repeat: 0, trained: teaching.trained }, stores.write));
  }
  for (const student of students) files.push(await exportModel(context, student, stores.write));

  // 6. The test split, for the first and only time.
  const measured = [];
  for (const file of files) measured.push(await measure(context, file));
  const opened = teaching?.trained === undefined && teaching?.teacher !== undefined;
  if (opened) measured.unshift(await measureTeacher(context, teaching.teacher));

  // 7. Everything side by side.
  const report = makeReport(context, { measured, answers: lessons?.summary, wallSeconds: stores.ledger.seconds });
  await stores.write('report.md', reportMarkdown(report));
  await stores.write('report.json', reportJson(report));
  return report;
}
