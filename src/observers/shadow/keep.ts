import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { asUserError, makeFolder } from '../../base/files.ts';

/** Form of one sample in the files. */
export interface KeptForm {
  readonly sampleShape: readonly number[];
  /** Pixels as they were, or numbers. */
  readonly dtype: 'uint8' | 'float32';
  readonly classes: number;
}

export interface KeptSample {
  readonly sample: Uint8Array | Float32Array;
  /** Class that the teacher gives. */
  readonly label: number;
  readonly logits: Float32Array;
}

/** One `.npy` file that grows: its rows are written first, then the header that counts them, so that a kill costs no row that the header counts. */
interface Column {
  readonly handle: FileHandle;
  readonly descr: string;
  readonly inner: readonly number[];
  readonly rowBytes: number;
}

const HEADER = 128;
const OTHER_FOLDER = 'Name another folder with --keep, for the samples of this model.';

/**
 * Samples of which student and teacher say different things, as NumPy arrays that a recipe of `dataset: { type: npz }` reads:
 * `samples.npy` as they were before normalization, `labels.npy` and `logits.npy` as the teacher answers. It goes on where it
 * was; beyond `mostBytes` nothing more is kept.
 */
export class TransferSet {
  readonly #folder: string;
  readonly #form: KeptForm;
  readonly #columns: readonly Column[];
  readonly #mostRows: number;
  /** Samples that were taken; `#written` of them are in the files, the rest waits. */
  #rows: number;
  #written: number;
  #waiting: KeptSample[] = [];
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(folder: string, form: KeptForm, columns: readonly Column[], rows: number, mostBytes: number) {
    this.#folder = folder;
    this.#form = form;
    this.#columns = columns;
    this.#rows = rows;
    this.#written = rows;
    this.#mostRows = Math.floor(mostBytes / columns.reduce((sum, { rowBytes }) => sum + rowBytes, 0));
  }

  static async open(folder: string, form: KeptForm, mostBytes: number): Promise<TransferSet> {
    const [samples, bytes] = form.dtype === 'uint8' ? (['|u1', 1] as const) : (['<f4', 4] as const);
    const size = form.sampleShape.reduce((product, dim) => product * dim, 1);
    const plans = [
      { name: 'samples.npy', descr: samples, inner: form.sampleShape, rowBytes: bytes * size },
      { name: 'labels.npy', descr: '<i8', inner: [], rowBytes: 8 },
      { name: 'logits.npy', descr: '<f4', inner: [form.classes], rowBytes: 4 * form.classes },
    ];
    const columns: Column[] = [];
    let rows = Infinity;
    try {
      await makeFolder(folder);
      for (const { name, ...plan } of plans) {
        const file = path.join(folder, name);
        const handle = await open(file, 'r+').catch(() => open(file, 'w+'));
        columns.push({ handle, ...plan });
        rows = Math.min(rows, await rowsIn(handle, file, plan));
      }
    } catch (error) {
      for (const { handle } of columns) await handle.close();
      throw asUserError(error, folder, 'write');
    }
    return new TransferSet(folder, form, columns, rows, mostBytes);
  }

  get rows(): number {
    return this.#rows;
  }

  /** `UserError` where samples of this form are none of these. */
  requireForm(form: KeptForm): void {
    const [held, received] = [this.#form, form].map(
      ({ sampleShape, dtype, classes }) => `${dtype} [${sampleShape.join(', ')}] of ${classes} classes`,
    );
    if (held !== received)
      throw new UserError(
        `${this.#folder}: it holds samples of ${held}, and the model now has ${received}`,
        OTHER_FOLDER,
      );
  }

  /** False where there is no room for it. `onFailed` is told, once, why nothing can be written any more, e.g. on a full disk; what is kept stays. */
  add(kept: KeptSample, onFailed: (why: string) => void): boolean {
    if (this.#failed) return true;
    if (this.#rows >= this.#mostRows) return false;
    this.#rows++;
    // The samples that come while others are written are written together, so that none pile up behind a slow disk.
    if (this.#waiting.push(kept) === 1)
      this.#writing = this.#writing
        .then(() => this.#writeWaiting())
        .catch((error: unknown) => {
          this.#failed = true;
          this.#rows = this.#written;
          onFailed((error as Error).message);
        });
    return true;
  }

  async #writeWaiting(): Promise<void> {
    const kept = this.#waiting;
    this.#waiting = [];
    if (this.#failed) return;
    const labels = BigInt64Array.from(kept, ({ label }) => BigInt(label));
    const parts = [joined(kept.map(({ sample }) => sample)), bytesOf(labels), joined(kept.map(({ logits }) => logits))];
    for (const [i, { handle, rowBytes }] of this.#columns.entries())
      await written(handle, parts[i]!, HEADER + this.#written * rowBytes);
    const rows = this.#written + kept.length;
    for (const { handle, descr, inner } of this.#columns) await written(handle, headerOf(descr, [rows, ...inner]), 0);
    this.#written = rows;
  }

  async close(): Promise<void> {
    await this.#writing;
    for (const { handle } of this.#columns) await handle.close().catch(() => undefined);
  }
}

function joined(arrays: readonly (Uint8Array | Float32Array)[]): Buffer {
  return Buffer.concat(arrays.map(bytesOf));
}

/** All of the bytes: a disk with little room takes a part of them first. */
async function written(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** NumPy's format 1.0, padded so that there is room for any count. */
function headerOf(descr: string, shape: readonly number[]): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, HEADER - 10, 0]);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(HEADER - 11)}\n`, 'latin1')]);
}

async function rowsIn(
  handle: FileHandle,
  file: string,
  { descr, inner }: Pick<Column, 'descr' | 'inner'>,
): Promise<number> {
  const found = Buffer.alloc(HEADER);
  const { bytesRead } = await handle.read(found, 0, HEADER, 0);
  if (bytesRead === 0) {
    await handle.write(headerOf(descr, [0, ...inner]), 0, HEADER, 0);
    return 0;
  }
  const rows = Number(/'shape': \((\d+)/.exec(found.toString('latin1'))?.[1]);
  if (bytesRead === HEADER && headerOf(descr, [rows, ...inner]).equals(found)) return rows;
  throw new UserError(
    `${file}: it holds other arrays than [count${inner.map((size) => `, ${size}`).join('')}] of ${descr}`,
    OTHER_FOLDER,
  );
}
