import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readText, writeFileAtomic } from '../base/files.ts';
import { giveAnswers, giveStates } from './states/from-other-runs.ts';
import { ownFile } from './own-file.ts';

/** Result of a job that is finished. */
interface Result {
  /** Hash of all that the job depends on. */
  readonly key: string;
  /** Run folder that has the saved states of the job; default: the one that the result lies in. */
  readonly folder?: string;
  /** Score on the validation split, where it decides which jobs come next. */
  readonly validation?: number;
}

/**
 * Folder `RUN-KIND` beside that of a run, in which shards do jobs of the run, knowing nothing of each other, on many machines:
 *
 * 1. Claim. A job is done in a run folder of its own, whose lock its process touches while it lives (`lockRun`).
 * 2. Result. A file that is written whole when the job is done; who finds it there does not do the job.
 * 3. Merge. The run takes the saved states of finished jobs, and does the others itself.
 *
 * It needs of the file system that a rename is atomic, which NFS holds. Two processes that do one job write the same.
 */
export class JobFolder {
  readonly folder: string;
  readonly #run: string;

  constructor(run: string, kind: 'labels' | 'race' | 'repeats' | 'search' | 'sweep') {
    [this.#run, this.folder] = [run, `${run}-${kind}`];
  }

  place(name: string): string {
    return path.join(this.folder, name);
  }

  /** Gives a run folder in this one, or this one for all of them, the answers that the teacher gave beforehand. */
  async giveAnswers(name = ''): Promise<void> {
    await giveAnswers(this.#run, this.place(name));
  }

  async write(name: string, content: object): Promise<void> {
    await writeFileAtomic(this.place(name), `${JSON.stringify(content, null, 2)}\n`);
  }

  /** Content of a file that `write` has written; undefined if it is not there. */
  async read(name: string): Promise<unknown> {
    return (await exists(this.place(name))) ? (JSON.parse(await readText(this.place(name))) as unknown) : undefined;
  }

  /** The result in a file; undefined for a job that is not finished. `UserError` for one that was done from something else. */
  async find(name: string, key: string): Promise<Result | undefined> {
    const result = (await this.read(name)) as Result | undefined;
    if (result === undefined || result.key === key) return result;
    throw new UserError(
      `${this.place(name)}: trained by another recipe, student, teacher, data or number of shards of a batch than this run has`,
      `Remove ${this.folder}, and let its shards or this run train again.`,
    );
  }

  /** Gives the run folder `to` the saved states of a finished job, as far as it has none of these stages; false if it took none. */
  async take(name: string, key: string, stages: readonly string[], to: string): Promise<boolean> {
    const result = await this.find(name, key);
    if (result === undefined) return false;
    const from = await ownFile(this.folder, result.folder ?? path.dirname(name));
    const taken = [];
    for (const stage of stages) taken.push(await giveStates(stage, from, to));
    return taken.some(Boolean);
  }
}
