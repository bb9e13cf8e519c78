import type { Log } from '../../base/log.ts';
import { shown } from '../../base/errors.ts';
import { widthOf } from '../../data/splits/columns.ts';
import type { ServedModel } from '../model.ts';
import { Refusal } from '../refusal.ts';
import type { DescribedModel } from './described.ts';

/**
 * Columns of each sample whose word is none of those of train; undefined if there are none. `raw`: samples that were read, in which NaN stands for the
 * number of each word of such a column, which JSON cannot send; 0 is written over it, as models saw such words in training.
 */
export function unknownWords(
  raw: Float32Array | Uint8Array,
  { columns = [] }: Pick<DescribedModel, 'columns'>,
): string[][] | undefined {
  if (columns.every(({ words }) => words === undefined)) return undefined;
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  const unknown: string[][] = [];
  for (let start = 0; start < raw.length; start += width) {
    const own: string[] = [];
    let at = start;
    for (const column of columns) {
      const end = at + widthOf(column);
      if (column.words !== undefined && at < end && Number.isNaN(raw[at])) {
        own.push(column.name);
        raw.fill(0, at, end);
      }
      at = end;
    }
    unknown.push(own);
  }
  return unknown.some((own) => own.length > 0) ? unknown : undefined;
}

/** Counts unknown words for the metrics, and logs the first, tenth, hundredth, … of a column. `Refusal` if the server is strict. */
export function countUnknown(
  { name, statistics }: Pick<ServedModel, 'name' | 'statistics'>,
  unknown: readonly (readonly string[])[],
  { columns = [] }: Pick<DescribedModel, 'columns'>,
  { log, isStrict }: { readonly log: Log; readonly isStrict: boolean },
): void {
  for (const column of unknown.flat()) {
    const count = (statistics.unknownWords.get(column) ?? 0) + 1;
    statistics.unknownWords.set(column, count);
    if (!/^10*$/.test(String(count))) continue;
    const so = count === 1 ? 'a word' : `${count} words so far`;
    log.write('warn', `model ${name}: ${so} in the column ${shown(column)} that train does not have`);
  }
  if (!isStrict) return;
  const sample = unknown.findIndex((own) => own.length > 0);
  const [column] = unknown[sample]!;
  const words = columns.find((one) => one.name === column)!.words!;
  const some = words.slice(0, 8).map(shown).join(', ');
  throw new Refusal(
    400,
    `sample ${sample}: column ${shown(column)}: expected a word that train has, received another one; train has ${some}${words.length > 8 ? ', …' : ''}`,
  );
}
