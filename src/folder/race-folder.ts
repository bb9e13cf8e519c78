import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { exists, readText, writeFileAtomic } from '../base/files.ts';
import { textOf } from '../base/shard.ts';
import type { Shard } from '../base/shard.ts';
import { giveAnswers, giveStates } from './given.ts';
import { ownFile } from './own.ts';

/** Result of a candidate of a race. */
interface Finished {
  /** Hash of all that the training depends on. */
  readonly key: string;
  readonly validation: number;
  /** Name of the folder that has its state. */
  readonly folder: string;
}

const DONE = 'done';
const COUNTS = 'rounds.json';

/**
 * Candidates of the race of losses that shards have trained, in `NAME-race`: a run folder for each shard and round, under a lock of its own,
 * and in `done` a file for each candidate that is finished, by the name of its stage. Teacher and answers are shared by all.
 */
export class RaceFolder {
  readonly folder: string;
  readonly #run: string;
  readonly #taker: string;

  /** `run`: the folder of the run whose race it is; `taker`: that of the run that takes what is finished. */
  constructor(run: string, taker = run) {
    [this.#run, this.#taker, this.folder] = [run, taker, `${run}-race`];
  }

  folderOf(round: number, shard: Shard): string {
    return path.join(this.folder, `round-${round + 1}-shard-${textOf(shard).replace('/', '-of-')}`);
  }

  /** Gives the race the answers that the teacher gave beforehand. */
  async begin(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await giveAnswers(this.#run, this.folder);
  }

  /** Numbers of candidates of the rounds, the same whichever shard says them. */
  async tell(counts: readonly number[]): Promise<void> {
    await writeFileAtomic(path.join(this.folder, COUNTS), `${JSON.stringify(counts)}\n`);
  }

  /** Candidates of a round, from 0, that are not finished, once a shard has told how many there are. */
  async missing(round: number, stageOf: (round: number, candidate: number) => string): Promise<number> {
    const counts = JSON.parse(await readText(path.join(this.folder, COUNTS))) as readonly number[];
    const names = await readdir(path.join(this.folder, DONE)).catch(() => []);
    const of = stageOf(round + 1, 0).slice(0, -1);
    return counts[round]! - names.filter((name) => name.startsWith(of) && name.endsWith('.json')).length;
  }

  async finish(stage: string, finished: Finished): Promise<void> {
    await mkdir(path.join(this.folder, DONE), { recursive: true });
    await writeFileAtomic(this.#file(stage), `${JSON.stringify(finished)}\n`);
  }

  /** Score of a candidate that is finished; undefined for another one. `UserError` for one that was trained from something else. */
  async find(stage: string, key: string): Promise<number | undefined> {
    return (await this.#read(stage, key))?.validation;
  }

  /** Gives the run the training of a candidate that is finished; false where there is none. */
  async take(stage: string, key: string): Promise<boolean> {
    const finished = await this.#read(stage, key);
    return finished !== undefined && giveStates(stage, await ownFile(this.folder, finished.folder), this.#taker);
  }

  async #read(stage: string, key: string): Promise<Finished | undefined> {
    const file = this.#file(stage);
    if (!(await exists(file))) return undefined;
    const finished = JSON.parse(await readText(file)) as Finished;
    if (finished.key === key) return finished;
    throw new UserError(
      `${this.folder}: this race was run by another recipe, student, teacher, data or number of shards of a batch than this run has`,
      'Remove the folder, and let its shards or this run race again.',
    );
  }

  #file(stage: string): string {
    return path.join(this.folder, DONE, `${stage}.json`);
  }
}
