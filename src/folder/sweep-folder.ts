import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readText, writeFileAtomic } from '../base/files.ts';
import type { TrialSettings } from '../recipe/grid.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import type { Report } from '../report/types.ts';
import { writtenReport } from './finished.ts';
import { giveAnswers } from './given.ts';

/** A trial and what is known of it: its report, finished or stopped, if it has one yet. */
export interface TrialSoFar extends TrialSettings {
  readonly folder: string;
  readonly report: Report | undefined;
}

/**
 * A sweep in a folder that many processes work in at once, on many machines: `trials/NAME.json` says what each trial changes, and the
 * run of that name lies beside it, under a lock of its own.
 */
export class SweepFolder {
  readonly folder: string;
  readonly #base: string;
  readonly #trials: readonly TrialSettings[];

  private constructor(base: string, trials: readonly TrialSettings[]) {
    [this.#base, this.folder, this.#trials] = [base, SweepFolder.of(base), trials];
  }

  /** Folder of the sweep of a run. */
  static of(base: string): string {
    return `${base}-sweep`;
  }

  /** `base`: the folder of a run of the recipe itself. `UserError` where the folder has another sweep. */
  static async open(base: string, { written }: LoadedRecipe, trials: readonly TrialSettings[]): Promise<SweepFolder> {
    const sweep = new SweepFolder(base, trials);
    // Whoever comes first writes it, whoever comes at the same time writes the same.
    await sweep.#keep('sweep.json', { recipe: written });
    for (const { name, set } of trials) await sweep.#keep(`trials/${name}.json`, { set });
    const names = await readdir(path.join(sweep.folder, 'trials'));
    const others = names.filter(
      (file) => file.endsWith('.json') && !trials.some(({ name }) => `${name}.json` === file),
    );
    if (others.length > 0)
      throw other(sweep.folder, `it has trials that this one has not: ${others.slice(0, 3).join(', ')}`);
    return sweep;
  }

  async soFar(): Promise<TrialSoFar[]> {
    const all = [];
    for (const trial of this.#trials) {
      const folder = path.join(this.folder, trial.name);
      all.push({ ...trial, folder, report: await writtenReport(folder) });
    }
    return all;
  }

  /** Gives a trial the answers that the teacher gave beforehand, for the recipe itself. */
  async giveAnswers(trial: string): Promise<void> {
    await giveAnswers(this.#base, path.join(this.folder, trial));
  }

  async #keep(name: string, content: unknown): Promise<void> {
    const file = path.join(this.folder, name);
    const text = `${JSON.stringify(content, null, 2)}\n`;
    if (!(await exists(file))) await writeFileAtomic(file, text);
    else if ((await readText(file)) !== text) throw other(this.folder, `its ${name} says something else`);
  }
}

function other(folder: string, fact: string): UserError {
  return new UserError(
    `${folder}: another sweep is there: ${fact}`,
    'Give this one another name with --set name=..., or remove that folder.',
  );
}
