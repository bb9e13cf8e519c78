import { UserError } from '../../base/errors.ts';
import { freeMemory, memoryText } from '../../base/memory.ts';

/** Part of the free memory that samples may take: their reader may hold a copy for a while, and the training needs the rest. */
const SHARE = 0.4;
/** Most bytes that Node reads from a file at once. */
const MOST_READ = 2 ** 31 - 1;

/** Option of the readers of files. */
export interface RoomGiven {
  /** Default: samples are read into memory, however many there are. */
  readonly room?: Room | undefined;
}

/** Memory for the samples of a data set. Its splits are read at the same time and share it. */
export class Room {
  readonly #bytes: number;
  readonly #free: number;
  /** Bytes that may be read from a file at once. */
  mostRead = MOST_READ;
  #taken = 0;

  /** `bytes`: what samples may take, where that is not to be found out from what is free. `processes`: so many of this machine share it. */
  constructor(bytes?: number, processes = 1) {
    this.#free = (bytes ?? freeMemory()) / processes;
    this.#bytes = bytes === undefined ? SHARE * this.#free : this.#free;
  }

  /**
   * Takes so many bytes if samples that can also be left in a file fit; false: leave them there. `read`: bytes that are read at once to get
   * them.
   */
  take(bytes: number, read = 0): boolean {
    if (read > this.mostRead || this.#taken + bytes > this.#bytes) return false;
    this.#taken += bytes;
    return true;
  }

  /** Gives back what was taken for samples that are in a file after all. */
  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }

  /** Takes so many bytes for samples that can only be in memory. `UserError` with the sizes where they cannot be. */
  demand(bytes: number, what: string, remedy: string): void {
    if (this.#taken + bytes > this.#free)
      throw new UserError(
        `${what} take ${memoryText(bytes)} of memory, and ${memoryText(Math.max(0, this.#free - this.#taken))} are free for them`,
        remedy,
      );
    this.#taken += bytes;
  }

  /** Sentence for the log on samples that are left in a file. */
  note(source: string, bytes: number, where: string): string {
    const free = Math.max(0, this.#bytes - this.#taken);
    const why =
      bytes <= free ? 'in a file of more than is read at once' : `and ${memoryText(free)} of memory are free for them`;
    return `${source}: its samples take ${memoryText(bytes)}, ${why}: ${where}`;
  }
}
