import { closeSync, readSync } from 'node:fs';
import { bytesOf, inPieces } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';

export type Samples = Uint8Array | Float32Array;

/**
 * An open file that is closed when it is garbage collected: a process that runs many recipes, as in sweeps and searches, reads data for each, and a
 * temporary file takes disk space as long as it is open.
 */
export class OpenFile {
  readonly descriptor: number;

  constructor(descriptor: number) {
    this.descriptor = descriptor;
    closing.register(this, descriptor);
  }
}

const closing = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/** Samples in a file, whose rows are read on request. */
export interface StoredSamples {
  /** The file, for messages. */
  readonly file: string;
  /** A worker thread gets a copy without the class; this process keeps the file open for it. */
  readonly open: Pick<OpenFile, 'descriptor'>;
  /** Offset of the first row in the file. */
  readonly offset: number;
  readonly type: 'uint8' | 'float32';
  /** Number of elements of a row. */
  readonly rowSize: number;
  /** Row of the file for each row of the split. */
  readonly rows: Int32Array;
  /** Every how many samples of the files are read; the others show the one before. Absent: all are read. */
  readonly every?: number | undefined;
}

/** Samples of a split, in memory or in a file. */
export interface HeldSamples {
  /** [count, ...sampleShape]; for samples in a file any access throws, because an empty array could be mistaken for data. */
  readonly samples: Samples;
  readonly stored?: StoredSamples | undefined;
}

/** Number of elements in a block of rows. */
const BLOCK = 1 << 22;

/** A split whose samples are in a file. */
export function heldIn(stored: StoredSamples): HeldSamples {
  return { samples: GUARDS[stored.type], stored };
}

const GUARDS: Readonly<Record<StoredSamples['type'], Samples>> = {
  uint8: guard(new Uint8Array(0)),
  float32: guard(new Float32Array(0)),
};

/** A typed array by `instanceof` that throws on access. */
function guard<S extends Samples>(empty: S): S {
  return new Proxy(empty, {
    get: () => {
      throw new Error('these samples are in a file: read them by `rowReader` or `blocksOf`');
    },
  });
}

/** Samples in a form that can be sent to a worker thread: proxies cannot. */
export function sendable<H extends HeldSamples>(held: H): H {
  return held.stored === undefined ? held : { ...held, samples: arrayOf(held.stored.type, 0) };
}

/** Reader of single rows. Its result is valid until the next call. */
export function rowReader({ samples, stored }: HeldSamples, size: number): (row: number) => Samples {
  if (stored === undefined) return (row) => samples.subarray(row * size, (row + 1) * size);
  const values = arrayOf(stored.type, size);
  return (row) => {
    readInto(stored, stored.rows[row]!, values);
    return values;
  };
}

/** All values in order, in blocks of whole rows; each is valid until the next is requested. */
export function* blocksOf({ samples, stored }: HeldSamples): Generator<Samples, void, undefined> {
  if (stored === undefined) {
    yield samples;
    return;
  }
  const { rows, rowSize, type } = stored;
  const most = Math.max(1, Math.floor(BLOCK / rowSize));
  const block = arrayOf(type, Math.min(most, rows.length) * rowSize);
  for (let first = 0; first < rows.length; first += most) {
    const count = Math.min(most, rows.length - first);
    // Adjacent rows of the file are read in one call.
    let from = 0;
    for (let at = 1; at <= count; at++) {
      if (at < count && rows[first + at] === rows[first + at - 1]! + 1) continue;
      readInto(stored, rows[first + from]!, block.subarray(from * rowSize, at * rowSize));
      from = at;
    }
    yield block.subarray(0, count * rowSize);
  }
}

/** The bytes of all values in order, in pieces that a hash or a file takes in one call. */
export function* bytesOfSamples(held: HeldSamples): Generator<Uint8Array, void, undefined> {
  for (const block of blocksOf(held)) yield* inPieces(bytesOf(block));
}

/** True if samples are 8-bit, in memory or in a file. */
export function areBytes({ samples, stored }: HeldSamples): boolean {
  return stored === undefined ? samples instanceof Uint8Array : stored.type === 'uint8';
}

/** Samples of some rows. */
export function chosenRows({ samples, stored }: HeldSamples, rows: Int32Array, size: number): HeldSamples {
  if (stored !== undefined) return heldIn({ ...stored, rows: rows.map((row) => stored.rows[row]!) });
  const copied = likeSamples(samples, rows.length * size);
  rows.forEach((row, i) => copied.set(samples.subarray(row * size, (row + 1) * size), i * size));
  return { samples: copied };
}

/** An array of the same type, on a SharedArrayBuffer. */
export function likeSamples(samples: Samples, length: number): Samples {
  const buffer = new SharedArrayBuffer(length * samples.BYTES_PER_ELEMENT);
  return samples instanceof Uint8Array ? new Uint8Array(buffer) : new Float32Array(buffer);
}

function readInto({ open: { descriptor }, file, offset, rowSize }: StoredSamples, row: number, values: Samples): void {
  const bytes = bytesOf(values);
  const from = offset + row * rowSize * values.BYTES_PER_ELEMENT;
  for (let done = 0; done < bytes.length;) {
    const read = readSync(descriptor, bytes, done, bytes.length - done, from + done);
    if (read === 0)
      throw new UserError(
        `${file}: ends at byte ${from + done}, where it had samples when it was opened`,
        'Leave the files of a data set as they are while they are in use, and start again.',
      );
    done += read;
  }
}

function arrayOf(type: StoredSamples['type'], length: number): Samples {
  return type === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
}
