import { UserError } from '../base/errors.ts';
import type { OnEvent } from '../base/events.ts';
import type { FlagValues } from '../base/flags.ts';
import type { Existing } from '../folder/folder.ts';
import type { Place } from '../folder/compute-place.ts';
import {
  engineOption,
  outOption,
  rankTimeoutOption,
  recipePositional,
  saveEveryOption,
  setOption,
} from './options/command.ts';
import type { Command } from './options/command.ts';
import type { CommandContext } from './context.ts';
import { printJson } from './context.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { RunResult } from '../run/options.ts';
import type { Sharded } from '../run/shards/shard.ts';
import { openWatchers, watchOptions } from './options/watch.ts';
import { WATCHERS } from './options/watchers.ts';

interface RunArgs {
  recipe: string;
  out: string;
  set: string[];
  engine: string | undefined;
  fresh: boolean;
  'save-every': number;
  'rank-timeout': number;
  shard: string | undefined;
  resume: boolean;
}

export const runCommand: Command<RunArgs> = {
  prepare: () => WATCHERS.loadAll(),
  options: (yargs) =>
    yargs
      .positional('recipe', recipePositional)
      .option('out', outOption)
      .option('set', setOption)
      .option('engine', engineOption)
      .option('save-every', saveEveryOption)
      .option('rank-timeout', rankTimeoutOption)
      .option('fresh', {
        type: 'boolean',
        default: false,
        describe: 'Start again; the earlier run is removed once the new one has begun its work',
      })
      .option('shard', {
        type: 'string',
        describe:
          'Train part i of n of the repeats, of the race of losses or of the search, i from 0: 0/3; a run without it goes on with what all have trained',
      })
      .options(watchOptions())
      .option('resume', {
        type: 'boolean',
        default: false,
        describe: 'Go on with the recipe that the run began with; of changes only --engine counts',
      }) as never,
  run: async (args, context) => {
    const { recipe, out, set, engine, fresh, resume, shard, ...rest } = args;
    const { 'save-every': saveEvery, 'rank-timeout': rankTimeout, ...watch } = rest;
    if (fresh && resume) {
      throw new UserError('--fresh and --resume: expected one of them, received both', 'Leave one of them out.');
    }
    const { loadRunnable } = await import('../setup/runnable.ts');
    const { placeAskedFor } = await import('../folder/compute-place.ts');
    const settings = engine === undefined ? set : [...set, `engine=${engine}`];
    const loaded = await loadRunnable(recipe, settings);
    const place = placeAskedFor(loaded.written, settings);
    const existing = fresh ? 'fresh' : resume ? 'resume' : 'ask';
    if (shard === undefined) await execute(loaded, { out, saveEvery, existing, place, watch, rankTimeout }, context);
    else await executeShard(loaded, shard, { out, saveEvery, existing, place, watch }, context);
  },
};

/** Trains a shard, and reports its part. */
async function executeShard(
  loaded: LoadedRecipe,
  given: string,
  { watch, ...options }: Omit<ExecuteOptions, 'rankTimeout'>,
  context: CommandContext,
): Promise<void> {
  const { ownLaunch } = await import('../base/process/environment.ts');
  if ((ownLaunch()?.launch.size ?? 1) > 1)
    throw new UserError(
      `--shard ${given}: a shard is one process, and mpirun has started several`,
      'Leave out --shard, and they train together; or start each shard without mpirun.',
    );
  const { shardOf } = await import('../base/shard.ts');
  const { trainShard } = await import('../run/shards/shard.ts');
  const { showEvents } = await import('./terminal/progress.ts');
  const display = await showEvents(context);
  const watchers = await openWatchers(watch, display.onEvent);
  const onEvent: OnEvent = (event) => {
    display.onEvent(event);
    watchers.onEvent(event);
  };
  const work = trainShard(loaded, shardOf(given, {}), { ...options, signal: context.signal, onEvent });
  const result = await work.finally(async () => {
    await watchers.close();
    await display.close();
  });
  if (context.json) printJson(context, result);
  else for (const line of linesOf(result)) context.out(`shard ${given}: ${line}\n`);
}

function linesOf({ search, race, repeated }: Sharded): string[] {
  const rounds = Object.entries({ ...(search && { search }), ...(race && { race }) });
  return [
    ...rounds.map(([what, of]) => `${of.rounds} of ${of.total} rounds of the ${what} are finished: ${of.folder}`),
    ...rounds
      .filter(([, { missing }]) => missing > 0)
      .map(
        ([, { missing }]) => `${missing} of the next round are left to other shards; after them start this one again`,
      ),
    ...(repeated === undefined
      ? []
      : [`repeats ${repeated.repeats.join(', ') || 'none'} of ${repeated.total}: ${repeated.folder}`]),
  ];
}

interface ExecuteOptions {
  readonly out: string;
  readonly existing: Existing;
  readonly place: Place;
  readonly saveEvery: number;
  readonly watch: FlagValues;
  /** Seconds; default 600. */
  readonly rankTimeout?: number;
}

/** Runs a recipe, shows its events, prints and returns the report. */
export async function execute(
  loaded: LoadedRecipe,
  { watch, rankTimeout = rankTimeoutOption.default, ...options }: ExecuteOptions,
  context: CommandContext,
): Promise<RunResult> {
  const { runRecipe } = await import('../run/run.ts');
  const { follower, startedProcesses } = await import('./options/launch.ts');
  const processes = await startedProcesses(rankTimeout);
  if (processes !== undefined && processes.rank > 0) {
    const own = await openWatchers(watch, () => undefined, processes);
    const { onEvent } = own;
    return follower(() => runRecipe(loaded, { ...options, signal: context.signal, onEvent, processes })).finally(() =>
      own.close(),
    );
  }
  const { showEvents } = await import('./terminal/progress.ts');
  const display = await showEvents(context);
  const watchers = await openWatchers(watch, display.onEvent, processes);
  const onEvent: OnEvent = (event) => {
    display.onEvent(event);
    watchers.onEvent(event);
  };
  let failure: unknown;
  const { folder, report } = await runRecipe(loaded, { ...options, signal: context.signal, onEvent, processes })
    .catch((error: unknown) => {
      failure = error;
      throw error;
    })
    .finally(async () => {
      await watchers.close(failure);
      await display.close();
    });
  const { reportJson } = await import('../report/render/json.ts');
  const { reportText } = await import('../report/render/text.ts');
  const { fittedToWidth: fitted } = await import('./terminal/wrapped.ts');
  context.out(context.json ? reportJson(report) : fitted(reportText(report, folder), context));
  return { folder, report };
}
