import { openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UserError } from '../../../base/errors.ts';
import { openToRead } from '../../../base/files.ts';
import { memoryText } from '../../../base/process/memory.ts';
import type { NpzSource } from '../../config.ts';
import { countOfElements } from '../../dataset.ts';
import type { RawSplit, Samples } from '../../dataset.ts';
import { heldIn, OpenFile } from '../../storage/sample-storage.ts';
import { npyHeader, parseNpy, reversed, truncated } from '../../../base/numpy.ts';
import { npySamples, toChannelsLast } from '../../readers/numpy/npy.ts';
import type { NpyArray, NpyHeader } from '../../../base/numpy.ts';
import type { Room } from '../../storage/memory-budget.ts';
import { Scratch, writeRows } from '../../storage/temporary-file.ts';
import { bytesAt } from '../../readers/source.ts';
import { checkEntry, readEntry, zipEntries } from '../../readers/numpy/zip.ts';
import type { ZipEntry } from '../../../base/zip-directory.ts';

/** Shape of a sample in the file, and whether its channels must be moved from the first axis to the last. */
export interface ArrayForm {
  readonly shape: readonly number[];
  readonly isFirst: boolean;
}

/** An array of samples that stays in its file. */
interface LargeArray extends Pick<NpyArray, 'where' | 'shape'> {
  readonly held: (form: ArrayForm, room: Room) => Promise<Pick<RawSplit, 'samples' | 'stored' | 'notes'>>;
  /** Reads another array of the same archive; absent for a single array. */
  readonly entry?: (name: string) => Promise<NpyArray>;
}

/** Number of bytes that hold the header of any array, with NumPy's padding. */
const HEADER = 1 << 16;

/**
 * The samples of a source, if they do not fit into memory or their file is too large to read at once; undefined otherwise. Also undefined for a
 * damaged file, whose error the ordinary reader reports. `UserError` with the sizes for an archive that would have to be unpacked.
 */
export async function largeArray(source: NpzSource, room: Room): Promise<LargeArray | undefined> {
  if (!('file' in source)) return large(source.samples, { file: source.samples, offset: 0 }, room);
  const { file } = source;
  const samples =
    Array.isArray(source.samples) && source.samples.length === 1
      ? (source.samples[0] as string)
      : (source.samples ?? 'x');
  const entries = await zipEntries(file).catch(() => undefined);
  const find = (name: string): ZipEntry | undefined =>
    entries?.find((entry) => entry.name === `${name}.npy`) ?? entries?.find((entry) => entry.name === name);
  if (typeof samples !== 'string') {
    const bytes = samples.reduce((sum, name) => sum + (find(name)?.size ?? 0), 0);
    room.demand(bytes, `${file}: the arrays of several inputs`, 'Use fewer samples, or free memory.');
    return undefined;
  }
  const entry = find(samples);
  if (entry === undefined) return undefined;
  if (!entry.isPlain) {
    const remedy =
      'Write the archive with numpy.savez instead of savez_compressed: its samples can then stay in the file.';
    room.demand(entry.size, `${file}: the compressed samples ${samples}`, remedy);
    return undefined;
  }
  const array = await large(`${file}: ${samples}`, { file, offset: entry.offset, entry }, room);
  return array && { ...array, entry: (name) => entryOf(file, name, find(name)) };
}

async function entryOf(file: string, name: string, entry: ZipEntry | undefined): Promise<NpyArray> {
  if (entry === undefined)
    throw new UserError(`${file}: no array ${name}`, 'Name the arrays: `{file: …, samples: …, labels: …}`.');
  return parseNpy(await readEntry(file, entry), `${file}: ${name}`);
}

interface Place {
  readonly file: string;
  /** Offset in the file of the array, including its header. */
  readonly offset: number;
  readonly entry?: ZipEntry;
}

async function large(where: string, place: Place, room: Room): Promise<LargeArray | undefined> {
  let header: NpyHeader;
  try {
    header = npyHeader(await bytesAt(place.file, place.offset, HEADER), where);
  } catch {
    return undefined;
  }
  const { shape, code } = header;
  const bytes = countOfElements(shape) * (code === 'u1' ? 1 : 4);
  // A file that is read whole takes its whole size in memory, whatever else it contains.
  const { size } = await stat(place.file);
  if (room.take(bytes, Math.max(bytes, size))) return undefined;
  return { where, shape, held: (form, own) => heldOf(where, place, header, form, own) };
}

async function heldOf(
  where: string,
  { file, offset, entry }: Place,
  header: NpyHeader,
  form: ArrayForm,
  room: Room,
): ReturnType<LargeArray['held']> {
  const { shape, code, isFortran, isBigEndian, length, sizes } = header;
  const [count, rowSize] = [shape[0]!, countOfElements(form.shape)];
  const type = code === 'u1' ? 'uint8' : 'float32';
  const bytes = count * rowSize * (type === 'uint8' ? 1 : 4);
  const inFile = length + count * rowSize * sizes.element;
  const { size } = await stat(file);
  const available = entry?.size ?? size - offset;
  if (available < inFile) throw truncated(where, inFile, available);
  if (isFortran)
    throw new UserError(
      `${where}: ${memoryText(bytes)} in Fortran order, which can only be read whole, and is too large for that`,
      'Save it as numpy.ascontiguousarray(array).',
    );
  if (entry !== undefined) await checkEntry(file, entry);
  const isAsItIs = !form.isFirst && (code === 'u1' || (code === 'f4' && !isBigEndian));
  if (isAsItIs) {
    const rows = Int32Array.from({ length: count }, (_, i) => i);
    const open = new OpenFile(openSync(file, 'r'));
    const held = heldIn({ file: where, open, offset: offset + length, type, rowSize, rows });
    return { ...held, notes: [room.note(where, bytes, 'they are read from the file as they are needed')] };
  }
  const scratch = new Scratch(`${where}: its samples`, { type, rowSize }, bytes);
  const convert = (row: Uint8Array): Samples => {
    const body = isBigEndian ? reversed(row, sizes.number) : row;
    const samples = npySamples({ where, shape: [1, ...form.shape], code, body });
    return form.isFirst ? toChannelsLast(samples, form.shape) : samples;
  };
  const [start, end] = [offset + length, offset + inFile - 1];
  const stream = (await openToRead(file)).createReadStream({ start, end, highWaterMark: 1 << 20 });
  await writeRows(scratch, stream as AsyncIterable<Uint8Array>, {
    skip: 0,
    rowBytes: rowSize * sizes.element,
    convert,
  });
  return { ...scratch.finish(), notes: [room.note(where, bytes, 'they are converted into a temporary file')] };
}
