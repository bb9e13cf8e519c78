import { deviceOption, engineOption, outOption, rankTimeoutOption, saveEveryOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import type { Place } from '../folder/compute-place.ts';
import { execute } from './run.ts';
import { watchOptions } from './options/watch.ts';
import { WATCHERS } from './options/watchers.ts';

interface ResumeArgs {
  run: string | undefined;
  out: string;
  'save-every': number;
  'rank-timeout': number;
  engine: Place['engine'];
  device: Place['device'];
}

export const resumeCommand: Command<ResumeArgs> = {
  prepare: () => WATCHERS.loadAll(),
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', describe: 'Name of the run, or its folder' })
      .option('out', outOption)
      .option('save-every', saveEveryOption)
      .option('rank-timeout', rankTimeoutOption)
      .option('engine', engineOption)
      .option('device', deviceOption)
      .options(watchOptions()) as never,
  run: async ({ run, out, engine, device, ...rest }, context) => {
    const { 'save-every': saveEvery, 'rank-timeout': rankTimeout, ...watch } = rest;
    const { findRun } = await import('../folder/find.ts');
    const { storedRecipe } = await import('../folder/folder.ts');
    const folder = await findRun(run, out);
    const { refuseMissing } = await import('../setup/runnable.ts');
    const loaded = await storedRecipe(folder);
    const place = { ...(engine !== undefined && { engine }), ...(device !== undefined && { device }) };
    refuseMissing({ ...loaded.recipe, ...place });
    const { default: path } = await import('node:path');
    // The folder may have been renamed; the recipe in it is the one to run.
    const here = { ...loaded, recipe: { ...loaded.recipe, name: path.basename(folder) } };
    await execute(
      here,
      { out: path.dirname(folder), existing: 'resume', place, saveEvery, watch, rankTimeout },
      context,
    );
  },
};
