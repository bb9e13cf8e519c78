import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readText, writeFileAtomic } from '../base/files.ts';
import { giveAnswers, giveStates } from './states/from-other-runs.ts';
import { ownFile } from './own-file.ts';

/** Result of a finished job. */
interface Result {
  /** Hash of everything that the job depends on. */
  readonly key: string;
  /** Run folder with the saved states of the job. Default: the folder of the result. */
  readonly folder?: string;
  /** Score on the validation split, if it decides which jobs come next. */
  readonly validation?: number;
}

/**
 * Folder `RUN-KIND` beside a run's, in which independent shards do the run's jobs, on any machines:
 *
 * 1. Claim. A job is done in a run folder of its own; its process touches the folder's lock while it lives (`lockRun`).
 * 2. Result. A file that is written whole when the job is done; shards that find it skip the job.
 * 3. Merge. The run takes over saved states of finished jobs, and does the others itself.
 *
 * The file system must rename atomically, which NFS does. Two processes that do the same job write the same bytes.
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

  /** Copies stored answers of the teacher into the run folder `name`, or into this folder for all of them. */
  async giveAnswers(name = ''): Promise<void> {
    await giveAnswers(this.#run, this.place(name));
  }

  async write(name: string, content: object): Promise<void> {
    await writeFileAtomic(this.place(name), `${JSON.stringify(content, null, 2)}\n`);
  }

  /** Content of a file from `write`; undefined if it does not exist. */
  async read(name: string): Promise<unknown> {
    return (await exists(this.place(name))) ? (JSON.parse(await readText(this.place(name))) as unknown) : undefined;
  }

  /** Result of a job from its file; undefined for an unfinished job. `UserError` if it was computed from something else. */
  async find(name: string, key: string): Promise<Result | undefined> {
    const result = (await this.read(name)) as Result | undefined;
    if (result === undefined || result.key === key) return result;
    throw new UserError(
      `${this.place(name)}: trained by another recipe, student, teacher, data or number of shards of a batch than this run has`,
      `Remove ${this.folder}, and let its shards or this run train again.`,
    );
  }

  /** Copies the saved states of a finished job into the run folder `to`, except stages that it already has; false if nothing was copied. */
  async take(name: string, key: string, stages: readonly string[], to: string): Promise<boolean> {
    const result = await this.find(name, key);
    if (result === undefined) return false;
    const from = await ownFile(this.folder, result.folder ?? path.dirname(name));
    const moved = [];
    for (const stage of stages) moved.push(await giveStates(stage, from, to));
    return moved.some(Boolean);
  }
}
