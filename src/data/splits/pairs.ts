import { countOfElements, targetsLike } from '../dataset.ts';
import type { Dataset, TargetValues } from '../dataset.ts';
import { chosenRows, heldIn, rowReader } from '../storage/sample-storage.ts';
import type { HeldSamples } from '../storage/sample-storage.ts';

/**
 * The samples of pairs [count, 2, size], each by itself and beside its partner: pair `id` has the samples 2 · id and 2 · id + 1, both with its targets,
 * [count, width]. A second sample of padding alone, of a text without a partner, is left out.
 */
export function unfolded(pairs: Dataset, width: number): Dataset {
  const { count, ids, sampleShape, targets, labelled } = pairs;
  const shape = sampleShape.slice(1);
  const size = countOfElements(shape);
  const all = halves(pairs, size);
  const rows = Int32Array.from({ length: 2 * count }, (_, row) => row);
  const kept = labelled === undefined ? rows : withoutBlank(rows, all, pairs, size);
  const ofPair = <T extends TargetValues>(values: T, each: number): T => {
    const out = targetsLike(values, kept.length * each) as T;
    kept.forEach((row, i) => out.set(values.subarray((row >> 1) * each, ((row >> 1) + 1) * each), i * each));
    return out;
  };
  return {
    ...pairs,
    ...(kept.length === rows.length ? all : chosenRows(all, kept, size)),
    sampleShape: shape,
    count: kept.length,
    ids: kept.map((row) => 2 * ids[row >> 1]! + (row % 2)),
    targets: ofPair(targets, width),
    ...(labelled && { labelled: ofPair(labelled, 1) }),
  };
}

/** The same memory or file, as twice as many rows of `size` numbers. */
function halves({ samples, stored }: HeldSamples, size: number): HeldSamples {
  if (stored === undefined) return { samples };
  const rows = Int32Array.from({ length: 2 * stored.rows.length }, (_, i) => 2 * stored.rows[i >> 1]! + (i % 2));
  return heldIn({ ...stored, rowSize: size, rows });
}

/** The rows, except rows of partners that are missing; only pairs without a label may lack a partner. */
function withoutBlank(
  rows: Int32Array,
  held: HeldSamples,
  { labelled, text, inputs }: Dataset,
  size: number,
): Int32Array {
  const read = rowReader(held, size);
  const blank = new Float32Array(size);
  if (inputs === undefined) blank.fill(text!.padding);
  for (const { name, from, shape } of inputs ?? [])
    if (name === 'input_ids') blank.fill(text!.padding, from, from + countOfElements(shape));
  return rows.filter(
    (row) => row % 2 === 0 || labelled![row >> 1] === 1 || !read(row).every((value, i) => value === blank[i]),
  );
}
