import { UserError } from '../base/errors.ts';

/**
 * Processes that read the same data: each reads a part of them, and they give each other what they have read. Every one of them makes the same
 * calls in the same order.
 */
export interface Readers {
  readonly rank: number;
  readonly size: number;
  /** Values of all processes in the order of their ranks, [size, length]. Valid until the next call of it. */
  allgather(own: Float32Array): Float32Array;
  /** Waits for all of them, however long each takes to read its part. */
  meet(): Promise<void>;
}

/** The bytes of all processes, one after another; each gives as many, a multiple of 4. Valid until the next call. */
export function bytesOfAll(readers: Readers, own: Uint8Array<ArrayBuffer>): Uint8Array {
  // They travel as floats, which nobody computes with.
  const all = readers.allgather(new Float32Array(own.buffer, own.byteOffset, own.byteLength / 4));
  return new Uint8Array(all.buffer, all.byteOffset, all.byteLength);
}

/** Most bytes of a text that processes give each other. */
const TEXT = 1024;

/** The texts of all processes in the order of their ranks; '' of one that is too long. */
export function textsOfAll(readers: Readers, own: string): string[] {
  const floats = new Float32Array(TEXT);
  const bytes = Buffer.from(own);
  if (bytes.length <= TEXT) floats.set(bytes);
  const all = readers.allgather(floats);
  return Array.from({ length: readers.size }, (_, rank) =>
    Buffer.from(all.slice(rank * TEXT, (rank + 1) * TEXT))
      .toString()
      .replace(/\0+$/, ''),
  );
}

/** `UserError` in every process unless all of them have as many pictures. */
export function requireSameCount(readers: Readers, count: number, where: string): void {
  const counts = readers.allgather(Float32Array.of(count));
  const other = counts.findIndex((one) => one !== counts[0]);
  if (other === -1) return;
  throw new UserError(
    `${where}: process ${other} of ${readers.size} has ${counts[other]!} pictures from there on, and process 0 has ${counts[0]!}`,
    SAME,
  );
}

/** A picture that two processes decode to other pixels. */
export function otherPixels(where: string, { rank, size }: Readers, other: number): UserError {
  return new UserError(`${where}: process ${rank} of ${size} reads other pixels than process ${other}`, SAME);
}

const SAME = 'Give all processes the same pictures: on several machines, by a shared folder or equal copies.';
