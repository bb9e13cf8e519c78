import { outOption, saveEveryOption } from './command.ts';
import type { Command } from './command.ts';
import { execute } from './run.ts';
import { watchOptions } from './watch.ts';
import type { WatchArgs } from './watch.ts';

interface ResumeArgs extends WatchArgs {
  run: string | undefined;
  out: string;
  'save-every': number;
}

export const resumeCommand: Command<ResumeArgs> = {
  name: 'resume [run]',
  summary: 'Go on with a run that was stopped, by name or folder; without one, with the latest that is unfinished',
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', describe: 'Name of the run, or its folder' })
      .option('out', outOption)
      .option('save-every', saveEveryOption)
      .options(watchOptions),
  run: async ({ run, out, 'save-every': saveEvery, ...watch }, context) => {
    const { findRun } = await import('../pipeline/find.ts');
    const { storedRecipe } = await import('../pipeline/folder.ts');
    const folder = await findRun(run, out);
    const { refuseMissing } = await import('../pipeline/runnable.ts');
    const loaded = await storedRecipe(folder);
    refuseMissing(loaded.recipe);
    const { default: path } = await import('node:path');
    // The folder may have another name by now; the recipe that is followed is the one it holds.
    const here = { ...loaded, recipe: { ...loaded.recipe, name: path.basename(folder) } };
    await execute(here, { out: path.dirname(folder), existing: 'resume', saveEvery, watch }, context);
  },
};
