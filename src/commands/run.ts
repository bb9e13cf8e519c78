import { UserError } from '../base/errors.ts';
import type { Existing } from '../pipeline/folder.ts';
import { outOption, saveEveryOption, setOption } from './command.ts';
import type { Command } from './command.ts';
import type { Context } from './context.ts';
import type { LoadedRecipe } from '../recipe/load.ts';

interface RunArgs {
  recipe: string;
  out: string;
  set: string[];
  fresh: boolean;
  'save-every': number;
  resume: boolean;
}

export const runCommand: Command<RunArgs> = {
  name: 'run <recipe>',
  summary: 'Follow a recipe to its report; a run that was stopped goes on where it was',
  options: (yargs) =>
    yargs
      .positional('recipe', { type: 'string', demandOption: true, describe: 'Recipe file (YAML)' })
      .option('out', outOption)
      .option('set', setOption)
      .option('save-every', saveEveryOption)
      .option('fresh', { type: 'boolean', default: false, describe: 'Remove what an earlier run left and start again' })
      .option('resume', { type: 'boolean', default: false, describe: 'Go on with the recipe that the run began with' }),
  run: async ({ recipe, out, set, fresh, resume, 'save-every': saveEvery }, context) => {
    if (fresh && resume) {
      throw new UserError('--fresh and --resume: expected one of them, received both', 'Leave one of them out.');
    }
    const { loadRunnable } = await import('../pipeline/runnable.ts');
    const loaded = await loadRunnable(recipe, set);
    await execute(loaded, { out, saveEvery, existing: fresh ? 'fresh' : resume ? 'resume' : 'ask' }, context);
  },
};

/** Run, show what happens, and print the report at the end. */
export async function execute(
  loaded: LoadedRecipe,
  options: { out: string; existing: Existing; saveEvery: number },
  context: Context,
): Promise<void> {
  const { runRecipe } = await import('../pipeline/run.ts');
  const { showEvents } = await import('./progress.ts');
  const display = await showEvents(context);
  const { folder, report } = await runRecipe(loaded, {
    ...options,
    signal: context.signal,
    onEvent: display.onEvent,
  }).finally(display.close);
  const { reportJson } = await import('../report/json.ts');
  const { reportText } = await import('../report/text.ts');
  context.out(context.json ? reportJson(report) : reportText(report, folder));
}
