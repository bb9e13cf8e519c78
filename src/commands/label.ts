import { UserError } from '../base/errors.ts';
import { outOption, recipePositional, setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';

interface LabelArgs {
  recipe: string;
  out: string;
  set: string[];
  shard: string | undefined;
  merge: boolean;
}

export const shardOption = {
  type: 'string',
  describe: 'Part i of n, i from 0: 2/8; else as Kubernetes, a Slurm array or mpirun says, else all',
} as const;

export const labelCommand: Command<LabelArgs> = {
  options: (yargs) =>
    yargs
      .positional('recipe', recipePositional)
      .option('out', outOption)
      .option('set', setOption)
      .option('shard', shardOption)
      .option('merge', {
        type: 'boolean',
        default: false,
        describe: 'Put the answers of all shards where `limbeck run` finds them',
      }),
  run: async ({ recipe, out, set, shard: given, merge }, context) => {
    if (merge && given !== undefined)
      throw new UserError('--merge and --shard: expected one of them, received both', 'Leave one of them out.');
    const { ownShard } = await import('../base/process/environment.ts');
    const { textOf } = await import('../base/shard.ts');
    const shard = ownShard(given);
    const { loadRunnable } = await import('../setup/runnable.ts');
    const { labelShard, mergeLabels } = await import('../run/shards/label.ts');
    const { showEvents } = await import('./terminal/progress.ts');
    const loaded = await loadRunnable(recipe, set);
    const display = await showEvents(context);
    const options = { out, signal: context.signal, onEvent: display.onEvent };
    const work = merge ? mergeLabels(loaded, options) : labelShard(loaded, shard, options);
    const result = await work.finally(() => display.close());
    if (context.json) printJson(context, result);
    else if ('samples' in result)
      context.out(`answers to ${result.samples} samples, ${result.views} views each: ${result.folder}\n`);
    else
      context.out(
        `shard ${textOf(shard)}: ${result.blocks} of ${result.total} blocks, ${result.answered} answered now: ${result.folder}\n`,
      );
  },
};
