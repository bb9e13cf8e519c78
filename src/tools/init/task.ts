import type { DatasetConfig, TaskName } from '../../data/config.ts';
import type { LabelWords, RawLabels, RawSplit } from '../../data/dataset.ts';
import { readSplit } from '../../data/readers/read.ts';
import { openText } from '../../data/text/open.ts';
import { DATA_TYPES } from '../../recipe/data-types.ts';

/** The task that the labels of a data set suggest. */
export interface SeenTask {
  readonly task: TaskName;
  /** Reason for the user, such as `progression holds 214 different numbers`; absent for classification. */
  readonly why?: string;
  /** Columns of 0 and 1 at the end of a table, which may all be labels; `task` applies to the last alone. */
  readonly bits?: readonly string[];
}

/** Maximum number of distinct integers that may be classes. */
const MOST_CLASSES = 20;
/** Maximum number of distinct integers as a share of the samples: above it most have too few samples for a class. */
const RARE = 0.2;

/** Reads the training files. `UserError` if they are unreadable. */
export async function seenTask(config: DatasetConfig): Promise<SeenTask> {
  // An unknown type is refused when the recipe is checked.
  if (!Object.hasOwn(DATA_TYPES, config.type)) return { task: 'classification' };
  // Read in a way that allows any label: words, lists, several columns.
  const stated = 'text' in config ? config.text : undefined;
  const text = stated && (await openText(stated));
  const split = await readSplit({ ...config, task: 'multi-label' }, 'train', text);
  if (split === undefined) return { task: 'classification' };
  const { labels, labelNames = [] } = split;
  const seen = taskOf(labels, labelNames);
  if (labelNames.length !== 1 || labels.kind !== 'name' || !areBits(labels.names)) return seen;
  const bits = [...bitsAtEnd(split), ...labelNames];
  return bits.length > 1 && bits.length <= split.columns!.length ? { ...seen, bits } : seen;
}

function taskOf(labels: RawLabels, names: readonly string[]): SeenTask {
  switch (labels.kind) {
    case 'name':
      return ofWords(labels, names[0] ?? 'label');
    case 'columns':
      if (labels.columns.every((column) => areBits(column.names)))
        return { task: 'multi-label', why: `${names.join(', ')} hold 0 and 1` };
      return labels.columns.every((column) => column.names.every(isNumber))
        ? { task: 'regression', why: `${names.join(', ')} hold numbers` }
        : { task: 'classification' };
    case 'numbers': {
      // NaN stands for no label.
      const values = labels.values.filter((value) => !Number.isNaN(value));
      if (labels.width === 1) return ofNumbers([...new Set(values)], values.length, 'the labels');
      return values.every((value) => value === 0 || value === 1)
        ? { task: 'multi-label', why: `a sample has ${labels.width} labels of 0 and 1` }
        : { task: 'regression', why: `a sample has ${labels.width} numbers` };
    }
    case 'index':
      return { task: 'classification' };
  }
}

function ofWords({ names, values }: LabelWords, column: string): SeenTask {
  const present = names.filter((name) => name !== '');
  if (present.length > 0 && present.every(isNumber)) return ofNumbers(present.map(Number), values.length, column);
  if (!present.some((name) => name.includes('|'))) return { task: 'classification' };
  const parts = present.flatMap((name) => name.split('|'));
  return parts.every(isNumber)
    ? { task: 'regression', why: `${column} lists numbers` }
    : { task: 'multi-label', why: `${column} lists labels` };
}

function ofNumbers(different: readonly number[], samples: number, column: string): SeenTask {
  const areWhole = different.every(Number.isInteger);
  const areMany = areWhole
    ? different.length > Math.max(MOST_CLASSES, RARE * samples)
    : different.length > MOST_CLASSES / 2;
  return areMany
    ? { task: 'regression', why: `${column} holds ${different.length} different numbers` }
    : { task: 'classification' };
}

function isNumber(text: string): boolean {
  return text.trim() !== '' && Number.isFinite(Number(text));
}

function areBits(texts: readonly string[]): boolean {
  return texts.length === 2 && texts.every((text) => /^(0|1|0\.0|1\.0|true|false)$/i.test(text.trim()));
}

/** Names of the last feature columns that hold both 0 and 1 and nothing else. */
function bitsAtEnd({ samples, columns = [] }: RawSplit): readonly string[] {
  const width = columns.length;
  let first = width;
  for (let c = width - 1; c >= 0; c--) {
    const seen = new Set<number>();
    for (let at = c; at < samples.length && seen.size < 3; at += width) seen.add(samples[at]!);
    if (seen.size !== 2 || !seen.has(0) || !seen.has(1)) break;
    first = c;
  }
  return columns.slice(first);
}
