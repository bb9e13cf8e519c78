import { UserError } from '../base/errors.ts';
import type { ProposedChange } from '../base/errors.ts';
import { existsSync } from 'node:fs';
import { editedRecipe } from '../recipe/edit.ts';
import { models } from '../networks/models/registry.ts';
import { parseRecipe } from '../recipe/load.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { RecipeChange } from '../recipe/overrides.ts';
import { checkData } from './check-data.ts';
import type { CheckedData } from './check-data.ts';
import { refuseMissing } from '../setup/runnable.ts';
import { withFolders } from '../setup/with-folders.ts';

export interface FixedRecipe {
  readonly text: string;
  readonly changes: readonly ProposedChange[];
  /** The error that remains after all changes; `loaded` and `checked` are absent then. */
  readonly failure?: UserError;
  readonly loaded?: LoadedRecipe;
  /** Absent if the data are not read. */
  readonly checked?: CheckedData;
}

export interface FixOptions {
  readonly set?: readonly RecipeChange[];
  /** Reads the data, and asks the teacher about some of them. */
  readonly data?: boolean;
  /** Decodes all pictures, not a sample. */
  readonly isWhole?: boolean;
  /** False: packages that only the run needs may be missing. Default: true. */
  readonly isRun?: boolean;
  /** Times some steps of each training. Default: as `isRun`. */
  readonly isForecast?: boolean;
}

/** Largest number of checks: each mistake hides those behind it. */
const ROUNDS = 12;

/** A recipe's text with the changes that its checks propose; nothing is written. `file`: its name, from whose folder paths start. */
export async function fixedRecipe(
  given: string,
  file: string,
  { set = [], data = false, isWhole = false, isRun = true, isForecast = isRun }: FixOptions,
): Promise<FixedRecipe> {
  let text = given;
  const made: ProposedChange[] = [];
  for (let round = 0; ; round++) {
    const found = await check(text, file, { set, data, isWhole, isRun, isForecast });
    const changes = found.failure?.changes ?? found.checked?.changes ?? [];
    // A change that was made and is proposed again does not help.
    const isNew = changes.length > 0 && !changes.some((one) => made.some((other) => isSame(one, other)));
    if (!isNew || round === ROUNDS) return { text, changes: made, ...found };
    text = editedRecipe(text, changes, file);
    made.push(...changes);
  }
}

function isSame(one: ProposedChange, other: ProposedChange): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function check(
  text: string,
  file: string,
  { set, data, isWhole, isRun, isForecast }: Required<FixOptions>,
): Promise<Omit<FixedRecipe, 'text' | 'changes'>> {
  try {
    const options = { set, models, withFolders, isThere: existsSync };
    const loaded = parseRecipe(text, file, options);
    if (isRun) refuseMissing(loaded.recipe);
    return { loaded, ...(data && { checked: await checkData(loaded.recipe, { isForecast, isWhole }) }) };
  } catch (error) {
    if (error instanceof UserError) return { failure: error };
    throw error;
  }
}
