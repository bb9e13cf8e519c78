import path from 'node:path';
import { inShell, InterruptedError } from '../base/errors.ts';
import type { OnEvent } from '../base/events.ts';
import { firstMissing } from '../base/files.ts';
import { fileLog } from '../base/log.ts';
import { dropEarlier, putBack } from '../folder/replaced-run.ts';
import { finishedReport, missingFiles } from '../folder/report/finished.ts';
import { prepareFolder, refuseForeignFolder, removeUnbegun } from '../folder/folder.ts';
import { lockRun } from '../folder/lock.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { logEvent } from '../watch/events.ts';
import { follow } from './follow.ts';
import type { FollowOptions, Stages } from './follow.ts';
import type { RunOptions, RunResult } from './options.ts';
import { requireInputs } from './inputs.ts';
import { searchBudget } from './search/search.ts';
import { requireShards, SHARDS } from './together.ts';

/**
 * Runs the recipe in `folder`, holding its lock, from the beginning or from the saved states. `isShard`: the folder belongs to a shard; `limbeck
 * resume` must not take it for a complete run.
 */
export async function runAlone(
  given: LoadedRecipe,
  folder: string,
  asked: RunOptions & Pick<FollowOptions, 'shared' | 'withoutTest' | 'isShard' | 'inputs'>,
  stages: Stages,
): Promise<RunResult> {
  const lost = new AbortController();
  const signals = [lost.signal, ...(asked.signal === undefined ? [] : [asked.signal])];
  const options = { ...asked, signal: AbortSignal.any(signals) };
  const warn = (message: string): void => options.onEvent?.({ type: 'warning', message });
  await refuseForeignFolder(folder);
  const made = await firstMissing(folder);
  const onLost = (message: string): void => {
    warn(message);
    lost.abort();
  };
  const unlock = await lockRun(folder, { onWait: warn, onLost }).catch(async (error: unknown) => {
    if (made !== undefined) await removeUnbegun(folder, made);
    throw error;
  });
  try {
    const { together, existing = 'ask', place } = options;
    const prepared = await prepareFolder(folder, given, existing, place, together && SHARDS);
    const { loaded, resumed, moves, moved, left } = prepared;
    if (left !== undefined) warn(left);
    const before = resumed ? await finishedReport(folder) : undefined;
    if (before !== undefined) {
      await requireInputs(folder, loaded.recipe, options);
      const gone = await missingFiles(folder, before);
      if (gone !== undefined) warn(gone);
      return { folder, report: before };
    }
    requireShards(together, loaded.recipe, folder);
    const log = await fileLog(path.join(folder, 'log.jsonl'));
    const { task = 'classification' } = loaded.recipe.dataset;
    const onEvent: OnEvent = (event) => {
      const isOfTask = 'stage' in event || event.type === 'run';
      const withTask = isOfTask && task !== 'classification' ? { ...event, task } : event;
      logEvent(log, withTask);
      options.onEvent?.(withTask);
    };
    onEvent({ type: 'run', name: loaded.recipe.name, folder, resumed });
    if (moved !== undefined) onEvent({ type: 'warning', message: moved });
    const follower = { ...options, onEvent, onWork: () => dropEarlier(folder), notes: moves };
    const followed =
      loaded.recipe.target === undefined
        ? follow(loaded, folder, follower, stages)
        : searchBudget(loaded, folder, follower, stages);
    const report = await followed.finally(() => log.close());
    return { folder, report };
  } catch (error) {
    // If this removal fails, the next start repeats it.
    if (!lost.signal.aborted && (await putBack(folder).catch(() => false))) {
      warn(`${folder}: holds the previous run again, because the new one did not pass its checks`);
      throw error;
    }
    if (error instanceof InterruptedError)
      throw new InterruptedError(
        `${error.message}; go on with${asked.isShard === true ? ' the same command' : `: limbeck resume ${inShell(folder)}`}`,
      );
    if (made !== undefined) await removeUnbegun(folder, made);
    throw error;
  } finally {
    await unlock();
  }
}
