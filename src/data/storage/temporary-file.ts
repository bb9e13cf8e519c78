import { mkdtempSync, openSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { asUserError } from '../../base/files.ts';
import { removeFolder } from '../../base/folders/own-folder.ts';
import { userFolder } from '../../base/folders/temporary.ts';
import { memoryText } from '../../base/process/memory.ts';
import { areBytes, blocksOf, heldIn, likeSamples, OpenFile } from './sample-storage.ts';
import type { HeldSamples, Samples, StoredSamples } from './sample-storage.ts';

/** `f_type` of a file system in memory (statfs(2), linux/magic.h). */
const TMPFS = 0x01021994;
/** Number of bytes that are collected before they are written. */
const BUFFER = 1 << 22;

/** Temporary file for samples, written row after row. The file is unlinked at once, so it disappears when it is closed or the process ends. */
export class Scratch {
  readonly #open: OpenFile;
  readonly #form: Pick<StoredSamples, 'type' | 'rowSize'>;
  readonly #what: string;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #written = 0;

  /**
   * `what`: name for messages, such as `x.idx: its samples`; `bytes`: their size. `UserError` if the temporary folder has too little space, or is in
   * memory, unless this is a sample that memory has room for.
   */
  constructor(
    what: string,
    form: Pick<StoredSamples, 'type' | 'rowSize'>,
    bytes: number,
    { remedy = '', isSample = false }: { readonly remedy?: string; readonly isSample?: boolean } = {},
  ) {
    this.#what = what;
    this.#form = form;
    refuseNoRoom(what, bytes, remedy, isSample);
    try {
      const folder = mkdtempSync(path.join(userFolder(), 'samples-'));
      this.#open = new OpenFile(openSync(path.join(folder, 'rows'), 'w+'));
      removeFolder(folder);
    } catch (error) {
      throw asUserError(error, tmpdir(), 'write');
    }
  }

  /** Writes a copy of the values of rows. */
  write(values: Samples): void {
    const bytes = bytesOf(values).slice();
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BUFFER) this.#flush();
  }

  finish(): HeldSamples {
    this.#flush();
    const { type, rowSize } = this.#form;
    const count = this.#written / (rowSize * (type === 'uint8' ? 1 : 4));
    const rows = Int32Array.from({ length: count }, (_, i) => i);
    return heldIn({
      ...this.#form,
      file: `${this.#what} in a temporary file`,
      open: this.#open,
      offset: 0,
      rows,
    });
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#waiting);
    try {
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#open.descriptor, bytes, done, bytes.length - done, this.#written + done);
    } catch (error) {
      throw asUserError(error, tmpdir(), 'write');
    }
    this.#written += bytes.length;
    [this.#waiting, this.#bytes] = [[], 0];
  }
}

function refuseNoRoom(what: string, bytes: number, remedy: string, isSample: boolean): void {
  const { type, bavail, bsize } = statfsSync(tmpdir());
  const free = bavail * bsize;
  const isInMemory = type === TMPFS && !isSample;
  if (!isInMemory && bytes <= free) return;
  const folder = isInMemory ? `${tmpdir()} lies in memory too` : `${tmpdir()} has ${memoryText(free)} free`;
  throw new UserError(
    `${what} take ${memoryText(bytes)}, too much for memory, and the folder of temporary files ${folder}`,
    `${remedy}Set TMPDIR to a folder on a disk with that much room, or free memory.`,
  );
}

/** Concatenates samples: in memory if both are in memory. */
export function joinedSamples(a: HeldSamples, b: HeldSamples, rowSize: number): HeldSamples {
  if (a.stored === undefined && b.stored === undefined) {
    const samples = likeSamples(a.samples, a.samples.length + b.samples.length);
    samples.set(a.samples);
    samples.set(b.samples, a.samples.length);
    return { samples };
  }
  const type = areBytes(a) ? 'uint8' : 'float32';
  const each = rowSize * (type === 'uint8' ? 1 : 4);
  const bytes = [a, b].reduce(
    (sum, held) => sum + (held.stored ? held.stored.rows.length * each : held.samples.byteLength),
    0,
  );
  const scratch = new Scratch(
    `${(a.stored ?? b.stored)!.file}: samples with and without labels`,
    { type, rowSize },
    bytes,
  );
  for (const held of [a, b]) for (const values of blocksOf(held)) scratch.write(values);
  return scratch.finish();
}

interface Converting {
  /** Bytes before the first row, and of a row. */
  readonly skip: number;
  readonly rowBytes: number;
  /** Converts the bytes of a row to numbers. */
  readonly convert: (row: Uint8Array) => Samples;
}

/** Writes the rows of a stream of bytes; returns the number of bytes. */
export async function writeRows(
  scratch: Scratch,
  stream: AsyncIterable<Uint8Array>,
  { skip, rowBytes, convert }: Converting,
): Promise<number> {
  const row = new Uint8Array(rowBytes);
  let [length, filled] = [0, 0];
  for await (const chunk of stream) {
    let at = Math.min(chunk.length, Math.max(0, skip - length));
    length += chunk.length;
    while (at < chunk.length) {
      const part = chunk.subarray(at, at + rowBytes - filled);
      row.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < rowBytes) continue;
      scratch.write(convert(row));
      filled = 0;
    }
  }
  return length;
}
