import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { nearest, shown, UserError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { finishedReport } from './report/finished.ts';

/** Folder of a run by its name or path; without one, of the unfinished run under `out` that was active last. */
export async function findRun(run: string | undefined, out: string): Promise<string> {
  const runs = await runsIn(out);
  if (run === undefined) {
    const unfinished = runs.filter(({ finished }) => !finished).sort((a, b) => b.changed - a.changed)[0];
    if (unfinished !== undefined) return unfinished.folder;
    throw new UserError(`${out}: no unfinished run in this folder`, 'Start one with `limbeck run recipe.yaml`.');
  }
  const named = runs.find(({ folder }) => path.basename(folder) === run);
  if (named !== undefined) return named.folder;
  if (await exists(path.join(run, 'recipe.json'))) return path.resolve(run);
  const names = runs.map(({ folder }) => path.basename(folder));
  const meant = nearest(run, names);
  throw new UserError(
    `no run ${shown(run)} in ${out}, and no folder of that name with a recipe.json`,
    meant !== undefined
      ? `Did you mean ${meant}?`
      : names.length > 0
        ? `Runs there: ${names.join(', ')}.`
        : 'Start one with `limbeck run recipe.yaml`.',
  );
}

async function runsIn(out: string): Promise<{ folder: string; finished: boolean; changed: number }[]> {
  const names = await readdir(out).catch(() => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const folder = path.resolve(out, name);
      if (!(await exists(path.join(folder, 'recipe.json')))) return [];
      const finished = await isFinished(folder);
      return [{ folder, finished, changed: (await stat(path.join(folder, 'recipe.json'))).mtimeMs }];
    }),
  );
  return runs.flat();
}

/** A run with a report of a later Limbeck counts as finished; named explicitly, it is refused. */
async function isFinished(folder: string): Promise<boolean> {
  try {
    return (await finishedReport(folder)) !== undefined;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}
