import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readText, writeFileAtomic } from '../base/files.ts';
import { stageOf } from '../report/artifact.ts';
import { giveAnswers, giveStates } from './given.ts';

const DONE = 'repeat.json';

/**
 * Repeats of a run that shards have trained, each in a run folder of its own, `NAME-repeats/N` with N from 1, under a lock of its own. One that
 * is finished says what it was trained from.
 */
export class RepeatsFolder {
  readonly folder: string;
  readonly #run: string;

  /** `run`: the folder of the run whose repeats they are. */
  constructor(run: string) {
    [this.#run, this.folder] = [run, `${run}-repeats`];
  }

  folderOf(repeat: number): string {
    return path.join(this.folder, String(repeat + 1));
  }

  /** Gives a repeat the answers that the teacher gave beforehand. */
  async begin(repeat: number): Promise<void> {
    await giveAnswers(this.#run, this.folderOf(repeat));
  }

  /** `key`: hash of all that the training depends on. */
  async finish(repeat: number, key: string): Promise<void> {
    await writeFileAtomic(path.join(this.folderOf(repeat), DONE), `${JSON.stringify({ key })}\n`);
  }

  /** Gives the run the trainings of a repeat that is finished; false where there is none. `UserError` for one that was trained from something else. */
  async take(repeat: number, key: string): Promise<boolean> {
    const from = this.folderOf(repeat);
    const file = path.join(from, DONE);
    if (!(await exists(file))) return false;
    if ((JSON.parse(await readText(file)) as { readonly key?: string }).key !== key)
      throw new UserError(
        `${from}: this repeat was trained by another recipe, student, teacher, data or number of shards of a batch than this run has`,
        'Remove the folder, and let its shard or this run train the repeat again.',
      );
    const taken = [];
    for (const role of ['scratch', 'distilled'] as const)
      taken.push(await giveStates(stageOf({ role, repeat }), from, this.#run));
    return taken.some(Boolean);
  }
}
