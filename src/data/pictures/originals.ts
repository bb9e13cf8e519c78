import { sha256 } from '../../base/bytes.ts';
import { UserError } from '../../base/errors.ts';
import { augmentedWriter, mixerOf } from '../batches/batches.ts';
import type { Chance } from '../batches/batches.ts';
import { sampleWriter } from '../batches/samples.ts';
import { countOfElements } from '../dataset.ts';
import { putMissing } from '../splits/missing.ts';
import { within } from '../batches/share.ts';
import type { Span } from '../batches/share.ts';
import type { Dataset, Normalization, Originals } from '../dataset.ts';
import type { Resizing } from './resize.ts';

/** Form in which a model reads samples at another size or normalization than the data set's. */
export interface PictureForm {
  /** [height, width, channels]; of a row of a table [width]. */
  readonly sampleShape: readonly number[];
  readonly normalization: Normalization;
  readonly resizing?: Resizing;
  /** Columns of a table whose missing values are NaN, not the recipe's numbers. */
  readonly handed?: ReadonlySet<string> | undefined;
}

/** Returns samples at another size, normalized: [n, height, width, channels]. */
export type AtSize = (form: PictureForm) => Promise<Float32Array>;

/** Number of pictures decoded at a time. */
const AT_ONCE = 8;

/**
 * The samples `rows` of a data set of picture files at any size, each decoded from its file and changed by the same random numbers as the student's
 * sample; or rows of a table as its file has them, if no random change applies. Undefined for other data. `part`: positions in `rows` to return, if
 * samples are mixed with others of the batch. Default: all.
 */
export function originalsOf(
  dataset: Dataset,
  rows: ArrayLike<number>,
  chance: Chance,
  part: Span = { first: 0, end: rows.length },
): AtSize | undefined {
  const { originals } = dataset;
  if (dataset.columns !== undefined) return rowsAsRead(dataset, rows, chance, part);
  if (typeof originals !== 'object') return undefined;
  return async ({ sampleShape, normalization, resizing }) => {
    const size = countOfElements(sampleShape);
    if (chance.augment.some((step) => 'mosaic' in step))
      throw new UserError(
        `dataset.augment: mosaic joins pictures of [${dataset.sampleShape.join(', ')}], and the teacher reads [${sampleShape.join(', ')}]`,
        'Set dataset.resize to the size that the teacher reads, or leave the mosaic out.',
      );
    const { mix } = chance;
    const mixing = mix && mixerOf({ sampleShape }, chance, dataset.sampleShape)?.(rows.length, mix.index);
    const needed = within(rows.length, part, mixing?.mix.partners);
    const n = needed.length;
    const ids = needed.map((position) => dataset.ids[rows[position]!]!);
    const samples = new Uint8Array(n * size);
    // Loaded on demand: sharp would cost every other run 50 ms.
    const { decodedPicture } = await import('./decode.ts');
    for (let from = 0; from < n; from += AT_ONCE) {
      const some = Array.from(ids.subarray(from, from + AT_ONCE));
      const pixels = await Promise.all(
        some.map((id) =>
          decodedPicture(originals.images[id]!, sampleShape as readonly [number, number, number], resizing),
        ),
      );
      pixels.forEach((one, i) => samples.set(one, (from + i) * size));
    }
    const at: Dataset = { ...dataset, sampleShape, normalization, samples, stored: undefined, ids, count: n };
    const write = augmentedWriter(at, chance, dataset.sampleShape);
    if (mixing === undefined) {
      const out = new Float32Array(n * size);
      for (let i = 0; i < n; i++) write(i, out, i * size);
      return out;
    }
    const out = new Float32Array(rows.length * size);
    needed.forEach((position, i) => write(i, out, position * size));
    mixing.apply(out);
    return out.subarray(part.first * size, part.end * size);
  };
}

function rowsAsRead(
  dataset: Dataset,
  rows: ArrayLike<number>,
  { augment, mix }: Chance,
  { first, end }: Span,
): AtSize | undefined {
  if (augment.length > 0 || mix !== undefined) return undefined;
  return ({ sampleShape, normalization, handed }) => {
    const size = countOfElements(sampleShape);
    const write = sampleWriter({ ...dataset, normalization });
    const out = new Float32Array((end - first) * size);
    for (let i = first; i < end; i++) {
      const at = (i - first) * size;
      write(rows[i]!, out, at);
      if (handed !== undefined) putMissing(out.subarray(at, at + size), dataset.ids[rows[i]!]!, dataset, handed);
    }
    return Promise.resolve(out);
  };
}

/** Pictures of train followed by those without labels, in the order of sample ids. */
export function joinedOriginals(
  train: Dataset['originals'],
  unlabelled: Dataset['originals'],
): Originals | 'not kept' | undefined {
  if (typeof train !== 'object' || typeof unlabelled !== 'object') return train;
  return { images: [...train.images, ...unlabelled.images], hash: sha256(train.hash, unlabelled.hash) };
}
