import path from 'node:path';
import type { LoadedRecipe } from '../recipe/load.ts';
import { runAlone } from './alone.ts';
import { checkOptions } from './options.ts';
import type { RunOptions, RunResult } from './options.ts';
import { stages } from './stages.ts';
import { runTogether } from './together.ts';

// Only types are exported from here besides `runRecipe`: the package's type declarations must not load TensorFlow.js.

/** Runs a recipe in the folder of its run, under its lock. Killed at any time and called again, it ends with the same bits. */
export async function runRecipe(given: LoadedRecipe, options: RunOptions = {}): Promise<RunResult> {
  checkOptions(options);
  const { together } = options;
  const run = (loaded: LoadedRecipe, own: RunOptions): Promise<RunResult> =>
    runAlone(loaded, path.join(own.out ?? 'checkpoints', loaded.recipe.name), own, stages);
  return together === undefined ? run(given, options) : runTogether(run, given, { ...options, together });
}
