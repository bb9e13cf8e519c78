import { UserError } from '../../base/errors.ts';

/** Work that processes of a machine share: all decode pictures; one parses tables, texts and sounds for the others. */
export type SharedWork = 'decoded' | 'parsed';

/** Processes that read the same data: each reads a part and exchanges it with the others. All make the same calls in the same order. */
export interface ReadingProcesses {
  readonly rank: number;
  readonly size: number;
  /** Values of all processes in the order of their ranks, [size, length]. Valid until the next call. */
  allgather(own: Float32Array): Float32Array;
  /** Waits until all processes call it, however long each reads. */
  meet(): Promise<void>;
}

/** The bytes of all processes in sequence; all must give the same number, a multiple of 4. Valid until the next call. */
export function bytesOfAll(readers: ReadingProcesses, own: Uint8Array<ArrayBuffer>): Uint8Array {
  // The bytes travel as floats, which are not computed with.
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

/** `UserError` in every process unless all have the same number of pictures. */
export function requireSameCount(readers: ReadingProcesses, count: number, where: string): void {
  const counts = readers.allgather(Float32Array.of(count));
  const other = counts.findIndex((one) => one !== counts[0]);
  if (other === -1) return;
  throw new UserError(
    `${where}: process ${other} of ${readers.size} has ${counts[other]!} pictures from there on, and process 0 has ${counts[0]!}`,
    SAME,
  );
}

/** Error: two processes decoded the same picture to different pixels. */
export function otherPixels(where: string, { rank, size }: ReadingProcesses, other: number): UserError {
  return new UserError(`${where}: process ${rank} of ${size} reads other pixels than process ${other}`, SAME);
}

const SAME = 'Give all processes the same pictures: on several machines, by a shared folder or equal copies.';
