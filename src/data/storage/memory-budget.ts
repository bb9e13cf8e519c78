import { UserError } from '../../base/errors.ts';
import { freeMemory, memoryText } from '../../base/process/memory.ts';

/** Share of free memory for samples: their reader may hold a copy for a while, and the training needs the rest. */
const SHARE = 0.4;
/** Maximum bytes that Node reads from a file in one call. */
const MOST_READ = 2 ** 31 - 1;

/** Option of the readers of files. */
export interface RoomGiven {
  /** Default: samples are read into memory, whatever their size. */
  readonly room?: Room | undefined;
}

/** Memory for the samples of a data set, shared by its splits, which are read at the same time. */
export class Room {
  readonly #bytes: number;
  readonly #free: number;
  /** Maximum bytes to read from a file in one call. */
  mostRead = MOST_READ;
  #taken = 0;

  /** `bytes`: memory for samples. Default: a share of the free memory. `processes`: number of processes that share this machine. */
  constructor(bytes?: number, processes = 1) {
    this.#free = (bytes ?? freeMemory()) / processes;
    this.#bytes = bytes === undefined ? SHARE * this.#free : this.#free;
  }

  /** Reserves memory for samples that could also stay in a file; false if they do not fit. `read`: bytes that must be read in one call. */
  take(bytes: number, read = 0): boolean {
    if (read > this.mostRead || this.#taken + bytes > this.#bytes) return false;
    this.#taken += bytes;
    return true;
  }

  /** Returns memory reserved for samples that went into a file after all. */
  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }

  /** Reserves memory for samples that must be in memory. `UserError` with the sizes if they do not fit. */
  demand(bytes: number, what: string, remedy: string): void {
    if (this.#taken + bytes > this.#free)
      throw new UserError(
        `${what} take ${memoryText(bytes)} of memory, and ${memoryText(Math.max(0, this.#free - this.#taken))} are free for them`,
        remedy,
      );
    this.#taken += bytes;
  }

  /** Note for the log about samples that stay in a file. */
  note(source: string, bytes: number, where: string): string {
    const free = Math.max(0, this.#bytes - this.#taken);
    const why =
      bytes <= free ? 'in a file of more than is read at once' : `and ${memoryText(free)} of memory are free for them`;
    return `${source}: its samples take ${memoryText(bytes)}, ${why}: ${where}`;
  }
}
