import { UserError } from '../base/errors.ts';
import { readBytes } from '../base/files.ts';
import { SOUNDS } from './audio-folder.ts';
import { allFiles } from './class-folder.ts';
import type { DatasetConfig } from './config.ts';
import type { SeenForm } from '../recipe/init.ts';
import { linesOf } from './source.ts';
import { parseWav } from './wav.ts';

/** Columns of CoNLL-U, and most different tags. */
const [CONLL_U, MOST_TAGS] = [10, 100];
/** Rows and sounds that are looked at, and bytes of a table. */
const [ROWS, HEARD, BYTES] = [200, 40, 2 ** 18];
/** Words of a text, on average, at least; of fewer are a name or a kind. */
const WORDS = 3;
/** Different words in a column, and their share of its values, at most; with more of them most are seen once. */
const [MOST_WORDS, MOST_SHARE] = [50, 0.5];

interface Said {
  /** Names of the label columns, if they are said. */
  readonly label: readonly string[];
  /** True if a task is said that is not for words with a tag each. */
  readonly isOtherTask: boolean;
}

/** The form of training data of a type, beside what is said of them. `UserError` where they cannot be read. */
export async function seenForm(
  type: DatasetConfig['type'],
  place: string,
  { label, isOtherTask }: Said,
): Promise<SeenForm> {
  if (type === 'text-folder') return { text: {} };
  if (type === 'audio-folder') return soundForm(place);
  if (type === 'conll') return conllForm(place, label);
  if (type !== 'csv' && type !== 'jsonl') return {};
  const delimiter = /\.tsv(\.gz)?$/i.test(place) ? '\t' : ',';
  const rows = type === 'csv' ? await csvRows(place, delimiter) : await jsonRows(place);
  const stated = type === 'csv' && delimiter !== ',' ? { delimiter } : {};
  const words = type === 'jsonl' && !isOtherTask ? wordsForm(rows, label) : undefined;
  return words ?? { ...stated, ...columnsForm(rows, type, label) };
}

/** Columns of words and tags: in CoNLL-U the words are in column 1 and their parts of speech in column 3, else the first and the last. */
async function conllForm(file: string, [label]: readonly string[]): Promise<SeenForm> {
  const said = label === undefined ? undefined : Number(label);
  if (said !== undefined && !Number.isInteger(said))
    throw new UserError(
      `--label: expected the number of a column, from 0, received ${label!}`,
      'Columns of such files have no names; negative numbers count from the end.',
    );
  const tags = said === undefined ? undefined : { tags: said };
  const lines = (await start(file)).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const columns = lines[0]?.split('\t').length;
  if (columns === CONLL_U)
    return {
      words: { column: 1, tags: 3, why: 'it has the ten columns of CoNLL-U, of which 3 are parts of speech', ...tags },
    };
  const last = said === undefined ? 'the last column' : `column ${said}`;
  return { words: { column: 0, why: `it has a word on each line, and its tag in ${last}`, ...tags } };
}

/** Two lists of one length in every row, of which the one that is said, or has fewer different texts, is the tags; undefined if there are none. */
function wordsForm(rows: Rows, [label]: readonly string[]): SeenForm | undefined {
  const isList = (value: unknown): value is readonly unknown[] =>
    Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' || Number.isInteger(one));
  const lists = Object.keys(rows[0] ?? {}).filter((name) => rows.every((row) => isList(row[name])));
  const lengths = (name: string): string => rows.map((row) => (row[name] as readonly unknown[]).length).join();
  const words = lists.filter((name) => rows.every((row) => (row[name] as readonly unknown[]).every((one) => typeof one === 'string'))); // prettier-ignore
  const different = (name: string): number => new Set(rows.flatMap((row) => row[name] as readonly unknown[])).size;
  for (const column of words.toSorted((a, b) => different(b) - different(a))) {
    const beside = lists.filter((name) => name !== column && lengths(name) === lengths(column));
    const tags =
      label === undefined
        ? beside.toSorted((a, b) => different(a) - different(b))[0]
        : beside.find((name) => name === label);
    if (tags === undefined || different(tags) > MOST_TAGS) continue;
    return { words: { column, tags, why: `${column} lists words, and ${tags} as many tags` } };
  }
  return undefined;
}

async function soundForm(folder: string): Promise<SeenForm> {
  const { files } = await allFiles(folder, SOUNDS);
  const step = Math.max(1, Math.floor(files.length / HEARD));
  const sounds: { rate: number; seconds: number }[] = [];
  let failed: unknown;
  for (const file of files.filter((_, i) => i % step === 0).slice(0, HEARD)) {
    try {
      const { rate, values } = parseWav(await readBytes(file), file);
      sounds.push({ rate, seconds: values.length / rate });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failed ??= error;
    }
  }
  if (sounds.length === 0) throw failed;
  const times = (rate: number): number => sounds.filter((sound) => sound.rate === rate).length;
  const rate = sounds.map((sound) => sound.rate).reduce((most, one) => (times(one) > times(most) ? one : most));
  // Of nine in ten all is heard, rounded up to a tenth of a second.
  const lengths = sounds.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const seconds = Math.min(60, Math.ceil(10 * lengths[Math.floor(0.9 * (lengths.length - 1))]! - 1e-6) / 10);
  return { rate, seconds };
}

type Rows = readonly Readonly<Record<string, unknown>>[];

async function start(file: string): Promise<string[]> {
  const lines: string[] = [];
  let size = 0;
  for await (const some of linesOf(file)) {
    lines.push(...some);
    size += some.reduce((sum, line) => sum + line.length, 0);
    if (lines.length > ROWS || size > BYTES) break;
  }
  return lines;
}

async function csvRows(file: string, delimiter: string): Promise<Rows> {
  const { parse } = await import('csv-parse/sync');
  const lenient = {
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
  };
  const text = (await start(file)).join('\n');
  const rows: unknown = parse(text, { ...lenient, columns: true, to: ROWS, delimiter });
  return rows as Rows;
}

async function jsonRows(file: string): Promise<Rows> {
  const rows: unknown[] = (await start(file)).slice(0, ROWS).flatMap((line) => {
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
  return rows.filter((row) => typeof row === 'object' && row !== null && !Array.isArray(row)) as Rows;
}

function columnsForm(rows: Rows, type: 'csv' | 'jsonl', label: readonly string[]): SeenForm {
  const names = Object.keys(rows[0] ?? {});
  const usual = names.includes('label') || type === 'jsonl' ? ['label'] : names.slice(-1);
  const labels = new Set(label.length > 0 ? label : usual);
  const columns = names
    .filter((name) => !labels.has(name))
    .map((name) => ({
      name,
      values: rows.map((row) => row[name]).filter((value) => value !== '' && value !== null && value !== undefined),
    })) // prettier-ignore
    .filter(({ values }) => values.some((value) => typeof value === 'string' && !Number.isFinite(Number(value))))
    .map(({ name, values }) => ({ name, words: values.map(String) }));
  const texts = columns.filter(({ words }) => mean(words.map((text) => text.trim().split(/\s+/u).length)) >= WORDS);
  if (texts.length > 0) {
    const length = ({ words }: { words: readonly string[] }): number => mean(words.map((text) => text.length));
    return { text: { column: texts.reduce((a, b) => (length(b) > length(a) ? b : a)).name } };
  }
  const isKind = ({ words }: { words: readonly string[] }): boolean => {
    const different = new Set(words).size;
    return different <= MOST_WORDS && different <= Math.max(2, MOST_SHARE * words.length);
  };
  const categorical = columns.filter(isKind).map(({ name }) => name);
  const ignore = columns.filter((column) => !isKind(column)).map(({ name }) => name);
  return {
    ...(categorical.length > 0 && { categorical }),
    ...(ignore.length > 0 && type === 'csv' && { ignore }),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
