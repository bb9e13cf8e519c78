import { shown, UserError } from '../../../base/errors.ts';
import type { ConllConfig, DataFiles } from '../../config.ts';
import type { RawSplit } from '../../dataset.ts';
import { listedText } from '../../splits/label-names.ts';
import type { RoomGiven } from '../../storage/memory-budget.ts';
import { fileList, linesOf } from '../../readers/source.ts';
import type { OpenText } from '../../text/open.ts';
import { WordSink } from '../../text/word-sink.ts';
import { TAG_SEPARATOR } from '../../text/tokenizer/words.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SplitReader } from '../../readers/registry.ts';

type ConllOptions = Pick<ConllConfig, 'label' | 'task'> & RoomGiven & { readonly text?: OpenText | undefined };

/** Separator of documents in CoNLL-2003. */
const DOCUMENT = /^-DOCSTART-/;
/** Ids in CoNLL-U that are no words: the span of a contraction, such as 3-4, and an empty node, such as 8.1. */
const NO_WORD = /^\d+(?:-|\.)\d+$/;
/** Number of columns in CoNLL-U. */
const CONLL_U = 10;

/**
 * Reads words and tags in the formats of CoNLL-2000, CoNLL-2003, CoNLL-U and GermEval: a word on each line, columns separated by tabs or else by
 * white space, a blank line after each sentence. In a file with tabs, lines that begin with # and have another number of columns than the words are
 * comments: CoNLL-U has no tab in them, GermEval one.
 */
export async function readConll(files: DataFiles, options: ConllOptions): Promise<RawSplit> {
  const list = fileList(files);
  const { text } = options;
  if (text === undefined)
    throw new UserError('text: expected a column of words beside type: conll', 'Set `text: { column: 0 }`.');
  const [wordColumn] = text.columns;
  if (text.columns.length !== 1 || typeof wordColumn !== 'number')
    throw new UserError(
      `text.column: expected the number of a column, from 0, received ${shown(text.columns)}`,
      'Columns of such files have no names: the words are mostly in column 0, in CoNLL-U in column 1.',
    );
  const sink = new WordSink(list[0]!, ['words'], text, options, 0, ['tags']);
  for (const file of list) await readFile(file, { words: wordColumn, tags: options.label ?? -1 }, sink);
  return sink.finish();
}

interface Layout {
  readonly words: number;
  readonly tags: number;
}

async function readFile(file: string, { words: wordColumn, tags: tagColumn }: Layout, sink: WordSink) {
  const { hasTabs, width } = await firstLine(file);
  let [line, from] = [0, 0];
  let [words, tags]: [string[], string[]] = [[], []];
  const end = (): void => {
    if (words.length === 0) return;
    const at = from;
    const where = (): string => `${file}:${at}`;
    sink.begin();
    sink.setValue(0, words, where);
    sink.end([listedText(tags, TAG_SEPARATOR, where)], where);
    [words, tags] = [[], []];
  };
  for await (const lines of linesOf(file)) {
    for (const raw of lines) {
      line++;
      const text = raw.replace(/\r$/, '');
      if (text.trim() === '' || DOCUMENT.test(text)) {
        end();
        continue;
      }
      const columns = split(text, hasTabs);
      if (columns.length !== width) {
        if (hasTabs && text.startsWith('#')) continue;
        throw otherWidth(`${file}:${line}`, columns.length, width, text);
      }
      if (columns.length === CONLL_U && NO_WORD.test(columns[0]!)) continue;
      if (words.length === 0) from = line;
      words.push(columnOf(columns, wordColumn, 'text.column', `${file}:${line}`));
      tags.push(columnOf(columns, tagColumn, 'label', `${file}:${line}`));
    }
  }
  end();
  await sink.endFile(file);
}

interface FirstLine {
  readonly hasTabs: boolean;
  /** Number of its columns. */
  readonly width: number;
}

/** The first line with a word. A line that begins with # may be a comment, and counts only in the absence of others. */
async function firstLine(file: string): Promise<FirstLine> {
  let found: FirstLine = { hasTabs: false, width: 0 };
  for await (const lines of linesOf(file)) {
    for (const raw of lines) {
      const text = raw.replace(/\r$/, '');
      if (text.trim() === '' || DOCUMENT.test(text)) continue;
      const hasTabs = text.includes('\t');
      if (found.width === 0 || !text.startsWith('#')) found = { hasTabs, width: split(text, hasTabs).length };
      if (!text.startsWith('#')) return found;
    }
  }
  return found;
}

function split(text: string, hasTabs: boolean): string[] {
  return hasTabs ? text.split('\t') : text.trim().split(/\s+/u);
}

function columnOf(columns: readonly string[], wanted: number, key: string, where: string): string {
  const found = columns.at(wanted);
  if (found === undefined || columns.length < 2)
    throw new UserError(
      `${where}: ${key}: no column ${wanted}, the line has ${columns.length}: ${shown(columns.join(' '))}`,
      'Count columns from 0, or from the end with negative numbers; a line has a word and a tag at least.',
    );
  if (found.trim() !== '') return found.trim();
  throw new UserError(`${where}: column ${wanted} is empty (${key})`, 'Complete the line, or remove the sentence.');
}

function otherWidth(where: string, received: number, expected: number, text: string): UserError {
  return new UserError(
    `${where}: ${received} columns, in the first line ${expected}: ${shown(text)}`,
    'Every line needs the same columns; sentences are separated by blank lines.',
  );
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'conll' }>> = { shares: 'parsed', read: readConll };
