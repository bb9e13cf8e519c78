import { UserError, shown } from '../../base/errors.ts';
import { countOfElements } from '../dataset.ts';
import type { RawSplit, TargetValues } from '../dataset.ts';
import { areBytes, blocksOf } from '../storage/sample-storage.ts';
import type { HeldSamples } from '../storage/sample-storage.ts';
import { countByClass } from './class-weights.ts';

/** `UserError` for a split that differs from train in shape, type or columns. */
export function checkSameKind(split: RawSplit, train: RawSplit): void {
  const column = split.columns?.findIndex((name, i) => name !== train.columns?.[i]) ?? -1;
  if (column !== -1 || split.columns?.length !== train.columns?.length) {
    throw new UserError(
      `${split.source}: feature columns differ from those of ${train.source}: ${
        column === -1
          ? `${split.columns?.length ?? 0} instead of ${train.columns?.length ?? 0}`
          : `column ${shown(split.columns?.[column])} where train has ${shown(train.columns?.[column])}`
      }`,
      'All splits need the same columns in the same order.',
    );
  }
  const [shape, expected] = [split.sampleShape.join(', '), train.sampleShape.join(', ')];
  if (shape !== expected) {
    throw new UserError(
      `${split.source}: samples have the shape [${shape}], those of ${train.source} [${expected}]`,
      'All splits need samples of one shape; for image files set `resize` and `channels`.',
    );
  }
  const [parts, own] = [split.inputs, train.inputs].map((inputs) =>
    inputs?.map(({ name, isWhole }) => `${name}${isWhole ? ' (whole numbers)' : ''}`).join(', '),
  );
  if (parts !== own)
    throw new UserError(
      `${split.source}: samples are made of ${parts ?? 'one input'}, those of ${train.source} of ${own ?? 'one input'}`,
      'All splits need the same inputs, of the same types.',
    );
  const [type, expectedType] = [split, train].map((held) => (areBytes(held) ? 'uint8' : 'float32'));
  if (type !== expectedType) {
    throw new UserError(
      `${split.source}: samples are ${type!}, those of ${train.source} ${expectedType!}`,
      'Store all splits with the same type, else they would be scaled differently.',
    );
  }
}

/** `UserError` for NaN or infinity, which would turn every weight into NaN within a step. */
export function checkFinite(split: HeldSamples & Pick<RawSplit, 'source' | 'sampleShape'> & Partial<RawSplit>): void {
  const { source, sampleShape, ids, fillWithMean } = split;
  // In a split with missing values, NaN marks the missing ones; its other values were checked in reading.
  if (areBytes(split) || fillWithMean === true) return;
  const size = countOfElements(sampleShape);
  let first = 0;
  for (const values of blocksOf(split)) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    const row = first + Math.floor(at / size);
    if (at !== -1)
      throw new UserError(
        `${source}: sample ${ids?.[row] ?? row}: value ${at % size} is ${values[at]!}, expected a finite float32 number`,
        'Clean the data first; NaN and infinity cannot be trained on.',
      );
    first += values.length / size;
  }
}

export function missingClasses(split: string, labels: Int32Array, classNames: readonly string[]): string[] {
  const counts = countByClass(labels, classNames.length);
  const missing = classNames.filter((_, i) => counts[i] === 0);
  if (missing.length === 0) return [];
  const some = missing.length <= 5 ? missing.join(', ') : `${missing.slice(0, 5).join(', ')}, …`;
  return [`${split} has no sample of ${missing.length} of ${classNames.length} classes: ${some}`];
}

/** Largest integer up to which float32 represents every integer. */
const ROUNDED = 2 ** 24;
/** Minimum number of distinct values that float32 must offer between a column's minimum and maximum. */
const ENOUGH = 1024;

/** A warning about numbers that float32 hardly distinguishes, such as seconds since 1970 within a day; undefined for others. */
export function coarse(what: string, least: number, most: number): string | undefined {
  const largest = Math.max(Math.abs(least), Math.abs(most));
  const step = 2 ** (Math.floor(Math.log2(largest)) - 23);
  if (most < least || largest < ROUNDED || (most - least) / step >= ENOUGH) return undefined;
  // A constant in float32 may be distinct numbers of many digits in the file.
  if (most === least)
    return `${what} is read as ${least} for every sample, which float32 represents in steps of ${step}: smaller differences in the file are lost`;
  return `${what} is read as numbers from ${least} to ${most}, which float32 represents in steps of ${step}: subtract an offset in the file, or split it into several columns`;
}

/** The same warning for the columns of a table: samples [count, width]. */
export function coarseColumns(split: string, held: HeldSamples, names: readonly string[]): string[] {
  const width = names.length;
  const least = new Float64Array(width).fill(Infinity);
  const most = new Float64Array(width).fill(-Infinity);
  for (const values of blocksOf(held)) {
    for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === width ? 0 : c + 1) {
      if (values[i]! < least[c]!) least[c] = values[i]!;
      if (values[i]! > most[c]!) most[c] = values[i]!;
    }
  }
  return names.flatMap((name, c) => coarse(`${split}: the column ${name}`, least[c]!, most[c]!) ?? []);
}

/** A warning about the names that no target has, such as `train has no word of 2 of 9 tags: LOC, PER`; none if each is there. */
export function unseenNames(hasNone: string, called: string, values: TargetValues, names: readonly string[]): string[] {
  const seen = new Set<number>(values);
  const none = names.filter((_, i) => !seen.has(i));
  if (none.length === 0) return [];
  const some = none.length <= 5 ? none.join(', ') : `${none.slice(0, 5).join(', ')}, …`;
  return [`${hasNone} of ${none.length} of ${names.length} ${called}: ${some}`];
}
