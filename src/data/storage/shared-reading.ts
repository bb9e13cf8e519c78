import { UserError } from '../../base/errors.ts';

/**
 * Processes that read the same data: each reads a part of them, and they give each other what they have read. Every one of them makes the same
 * calls in the same order.
 */
export interface ReadingProcesses {
  readonly rank: number;
  readonly size: number;
  /** Values of all processes in the order of their ranks, [size, length]. Valid until the next call of it. */
  allgather(own: Float32Array): Float32Array;
  /** Waits for all of them, however long each takes to read its part. */
  meet(): Promise<void>;
}

/** The bytes of all processes, one after another; each gives as many, a multiple of 4. Valid until the next call. */
export function bytesOfAll(readers: ReadingProcesses, own: Uint8Array<ArrayBuffer>): Uint8Array {
  // They travel as floats, which nobody computes with.
  const all = readers.allgather(new Float32Array(own.buffer, own.byteOffset, own.byteLength / 4));
  return new Uint8Array(all.buffer, all.byteOffset, all.byteLength);
}

/** The texts of all processes, of any lengths, in the order of their ranks. */
export function textsOfAll(readers: ReadingProcesses, own: string): string[] {
  const bytes = Buffer.from(own);
  const sizes = bytesOfAll(readers, new Uint8Array(Uint32Array.of(bytes.length).buffer));
  const lengths = [...new Uint32Array(sizes.buffer, sizes.byteOffset, readers.size)];
  const most = 4 * Math.ceil(Math.max(...lengths) / 4);
  if (most === 0) return lengths.map(() => '');
  const padded = new Uint8Array(most);
  padded.set(bytes);
  const all = bytesOfAll(readers, padded);
  return lengths.map((length, rank) => Buffer.from(all.subarray(rank * most, rank * most + length)).toString());
}

/** `UserError` in every process unless all of them have as many pictures. */
export function requireSameCount(readers: ReadingProcesses, count: number, where: string): void {
  const counts = readers.allgather(Float32Array.of(count));
  const other = counts.findIndex((one) => one !== counts[0]);
  if (other === -1) return;
  throw new UserError(
    `${where}: process ${other} of ${readers.size} has ${counts[other]!} pictures from there on, and process 0 has ${counts[0]!}`,
    SAME,
  );
}

/** A picture that two processes decode to other pixels. */
export function otherPixels(where: string, { rank, size }: ReadingProcesses, other: number): UserError {
  return new UserError(`${where}: process ${rank} of ${size} reads other pixels than process ${other}`, SAME);
}

const SAME = 'Give all processes the same pictures: on several machines, by a shared folder or equal copies.';
