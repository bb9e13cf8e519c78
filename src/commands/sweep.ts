import { UserError } from '../base/errors.ts';
import { outOption, recipePositional, saveEveryOption, setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { textTable } from './terminal/table.ts';
import { shardOption } from './label.ts';

interface SweepArgs {
  recipe: string;
  out: string;
  set: string[];
  grid: string[];
  trials: string | undefined;
  shard: string | undefined;
  'save-every': number;
}

export const sweepCommand: Command<SweepArgs> = {
  options: (yargs) =>
    yargs
      .positional('recipe', recipePositional)
      .option('out', outOption)
      .option('set', setOption)
      .option('grid', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [] as string[],
        describe: 'Values of a key, all combinations: --grid distill.temperature=1,2,4 --grid seed=0,1',
      })
      .option('trials', {
        type: 'string',
        describe: 'File with a list of trials, each a mapping of keys to values (YAML or JSON)',
      })
      .option('shard', shardOption)
      .option('save-every', saveEveryOption),
  run: async ({ recipe, out, set, grid, trials: file, shard: given, 'save-every': saveEvery }, context) => {
    if ((file === undefined) === (grid.length === 0))
      throw new UserError(
        `--grid and --trials: expected one of them, received ${file === undefined ? 'neither' : 'both'}`,
        'Write for example --grid distill.temperature=1,2,4.',
      );
    const { ownShard } = await import('../base/process/environment.ts');
    const { readUtf8 } = await import('../base/files.ts');
    const { fileTrials, gridTrials } = await import('../recipe/grid.ts');
    const { loadRunnable } = await import('../setup/runnable.ts');
    const { sweepShard } = await import('../run/shards/sweep.ts');
    const { showEvents } = await import('./terminal/progress.ts');
    const shard = ownShard(given);
    const trials = file === undefined ? gridTrials(grid) : fileTrials(await readUtf8(file), file);
    const base = await loadRunnable(recipe, set);
    const option = file ?? '--grid';
    const load = ({ name, set: own }: { name: string; set: readonly string[] }) =>
      loadRunnable(recipe, [...set, ...own.map((text) => ({ text, option })), `name=${name}`]);
    const display = await showEvents(context);
    const options = { out, saveEvery, signal: context.signal, onEvent: display.onEvent };
    const swept = await sweepShard(base, trials, load, shard, options).finally(() => display.close());
    const { sweepRows, trialFigures } = await import('../report/tables/sweep.ts');
    const { folder, failed } = swept;
    const done = swept.trials.filter(({ report }) => report?.status === 'complete').length;
    if (context.json) printJson(context, { folder, failed, trials: swept.trials.map(trialFigures) });
    else
      context.out(
        `${textTable(sweepRows(swept.trials), context)}\n${done} of ${swept.trials.length} trials are finished: ${folder}\n`,
      );
    if (failed.length === 0) return;
    throw new UserError(
      `${failed.length} trials failed:\n${failed.map(({ name, reason }) => `  ${name}: ${reason}`).join('\n')}`,
      'The same command tries them again, and leaves those that are finished as they are.',
    );
  },
};
