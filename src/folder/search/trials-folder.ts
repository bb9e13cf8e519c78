import { cp, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { exists, writeFileAtomic } from '../../base/files.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import type { Report } from '../../report/types.ts';
import { finishedReport } from '../finished.ts';
import { storedRecipe } from '../folder.ts';
import { giveAnswers, giveTeachers } from '../given.ts';
import { differences } from '../place.ts';
import { takeTraining } from './sharing.ts';

/**
 * Trials of a search that shards have done, each a run folder of its own, `NAME-search/TRIAL`, under a lock of its own. Teacher and answers
 * are shared by all.
 */
export class TrialsFolder {
  readonly folder: string;
  readonly #run: string;

  /** `run`: the folder of the run whose search it is. */
  constructor(run: string) {
    [this.#run, this.folder] = [run, `${run}-search`];
  }

  folderOf(trial: string): string {
    return path.join(this.folder, trial);
  }

  /** Gives the shards the answers that the teacher gave beforehand. */
  async begin(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await giveAnswers(this.#run, this.folder);
  }

  /** Lets a trial begin where the training of its twin ended, if it has one. */
  async open(trial: string, { base, written }: LoadedRecipe, twin: string | undefined): Promise<void> {
    const own = this.folderOf(trial);
    if (await exists(path.join(own, 'recipe.json'))) return;
    await mkdir(own, { recursive: true });
    await writeFileAtomic(path.join(own, 'recipe.json'), `${JSON.stringify({ base, recipe: written }, null, 2)}\n`);
    if (twin !== undefined) await takeTraining(this.folderOf(twin), own);
  }

  /** Report of a trial that is finished; undefined for another one. `UserError` for one of another recipe. */
  async find(trial: string, loaded: LoadedRecipe): Promise<Report | undefined> {
    const own = this.folderOf(trial);
    const report = await finishedReport(own);
    if (report === undefined) return undefined;
    const { changes } = differences((await storedRecipe(own)).written, loaded.written);
    if (changes.length === 0) return report;
    throw new UserError(
      `${own}: this trial was done by another recipe than this run has:\n${changes.map((change) => `  ${change}`).join('\n')}`,
      'Remove the folder, and let its shard or this run do it again.',
    );
  }

  /** Gives the run a trial that is finished, with the teacher and assistants that shards have trained for it; undefined where there is none. */
  async take(trial: string, loaded: LoadedRecipe): Promise<Report | undefined> {
    const report = await this.find(trial, loaded);
    if (report === undefined) return undefined;
    await giveAnswers(this.folder, this.#run);
    await giveTeachers(this.folder, this.#run);
    const to = path.join(this.#run, 'search', trial);
    await rm(`${to}.part`, { recursive: true, force: true });
    await cp(this.folderOf(trial), `${to}.part`, {
      recursive: true,
      filter: (file) => path.basename(file) !== 'lock',
    });
    await rm(to, { recursive: true, force: true });
    await rename(`${to}.part`, to);
    return report;
  }
}
