import type { Column, Dataset, MissingValues } from '../dataset.ts';
import { widthOf } from './columns.ts';

/** Indexes of the columns that have no value in the sample with this id. */
export function missingOf(missing: MissingValues, id: number): Int32Array {
  let [low, high] = [0, missing.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (missing[2 * middle]! < id) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (missing[2 * end] === id) end++;
  return Int32Array.from({ length: end - low }, (_, i) => missing[2 * (low + i) + 1]!);
}

/** Missing values of train and of its samples without labels, whose ids start at `next`. */
export function joinedMissing(
  train: MissingValues | undefined,
  unlabelled: MissingValues | undefined,
  next: number,
): MissingValues | undefined {
  if (unlabelled === undefined) return train;
  const behind = unlabelled.map((value, i) => (i % 2 === 0 ? value + next : value));
  return Int32Array.from([...(train ?? []), ...behind]);
}

/** Number of missing values of each column that has some, by its index, in all `splits`. */
export function missingByColumn(splits: readonly Pick<Dataset, 'missing' | 'ids'>[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { missing, ids } of splits)
    if (missing !== undefined)
      for (const id of ids)
        for (const column of missingOf(missing, id)) counts.set(column, (counts.get(column) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => a - b));
}

/** Writes NaN over the numbers of these columns that stand for a missing value in the sample with this id; `row`: its raw numbers. */
export function putMissing(
  row: Float32Array,
  id: number,
  { missing, columns = [] }: Pick<Dataset, 'missing' | 'columns'>,
  handed: ReadonlySet<string>,
): void {
  const absent = missing === undefined ? [] : missingOf(missing, id);
  for (const at of absent) {
    const column = columns[at]!;
    if (!handed.has(column.name)) continue;
    const from = columns.slice(0, at).reduce((sum: number, one: Column) => sum + widthOf(one), 0);
    row.fill(NaN, from, from + widthOf(column));
  }
}
