import path from 'node:path';
import { stat } from 'node:fs/promises';
import { shown, UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { DataFiles, DatasetConfig } from '../../data/config.ts';
import { sharedFloats } from '../../data/dataset.ts';
import type { RawSplit } from '../../data/dataset.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import { jsonObject } from '../../data/readers/json-line.ts';
import type { SplitReader } from '../../data/readers/registry.ts';
import { fileList, linesOf } from '../../data/readers/source.ts';
import { InvalidTexts } from '../../data/text/invalid.ts';
import type { OpenText } from '../../data/text/open.ts';
import { readByTokenizer } from '../../data/text/read-by.ts';
import { isWord } from '../../data/text/tokenizer/encode.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import { endOfText, packed, TAIL, tokenized, tokenNames } from './pack.ts';
import type { Tokenized } from './pack.ts';

const FILES = { extensions: new Set(['.txt', '.jsonl']), what: 'texts', kinds: 'texts (.txt) or JSON lines (.jsonl)' };

/** Key of the text in JSON lines. */
const USUAL_KEY = 'text';

/**
 * Reads texts and packs them into sequences of tokens: each .txt file is a text, and each line of a JSON lines file has one. A folder is read in the order
 * of the paths of its files.
 */
async function readTexts(source: DataFiles, text: OpenText): Promise<RawSplit> {
  const [first] = fileList(source);
  const { files, notes } = await filesOf(fileList(source));
  const invalid = new InvalidTexts(text.invalid);
  const key = String(text.columns[0] ?? USUAL_KEY);
  const texts: Tokenized[] = [];
  const add = (given: string | Uint8Array, where: () => string): void => {
    const read = invalid.read(given, () => `${where()}: the text`, where);
    if (read === undefined) return;
    if (!isWord(read)) throw new UserError(`${where()}: the text is empty`, 'Remove it.');
    texts.push(readByTokenizer('text', where, () => tokenized(read, text.tokenizer)));
  };
  for (const file of files) {
    if (path.extname(file).toLowerCase() !== '.jsonl') {
      add(withoutMark(await readBytes(file)), () => file);
      continue;
    }
    let line = 0;
    const where = (): string => `${file}:${line}`;
    for await (const lines of linesOf(file))
      for (const content of lines) {
        line++;
        if (content.trim() !== '') add(textIn(jsonObject(content, where()), key, where()), where);
      }
    await invalid.endFile(file);
  }
  if (texts.length === 0) throw new UserError(`${first!}: no text in it`, 'Name files with texts.');
  return splitOf(first!, texts, text, [...notes, ...invalid.notes(first!, 'texts')]);
}

function splitOf(
  source: string,
  texts: readonly Tokenized[],
  { form: given, tokenizer, json }: OpenText,
  notes: readonly string[],
): RawSplit {
  const end = endIn(source, json);
  const { count, ids, targets } = packed(texts, given.length, end);
  const samples = sharedFloats(ids.length);
  samples.set(ids);
  // Behind the last token of a text any id may stand: a network that reads in one direction does not see it.
  const form: TextForm = {
    ...given,
    vocabulary: Math.max(tokenizer.vocabulary, end + 1),
    padding: end,
    truncate: 'start',
  };
  return {
    source,
    sampleShape: [form.length],
    samples,
    text: form,
    classNames: tokenNames(json, form.vocabulary),
    labels: { kind: 'numbers', values: Float32Array.from(targets), width: form.length + TAIL },
    ids: Int32Array.from({ length: count }, (_, i) => i),
    ...(notes.length > 0 && { notes }),
  };
}

function endIn(source: string, json: OpenText['json']): number {
  try {
    return endOfText(json);
  } catch (error) {
    throw new UserError(
      `${source}: dataset.text.tokenizer: ${(error as Error).message}`,
      'Add such a token to `added_tokens` of the tokenizer.json: it stands between two texts.',
      { cause: error },
    );
  }
}

async function filesOf(sources: readonly string[]) {
  const files: string[] = [];
  const notes: string[] = [];
  for (const source of sources) {
    if (!(await isFolder(source))) {
      if (!FILES.extensions.has(path.extname(source).toLowerCase()))
        throw new UserError(
          `${source}: expected a folder, or a file that ends in .txt or .jsonl`,
          'Save each text as a .txt file, or a text in each line of a JSON lines file, as {"text": "…"}.',
        );
      files.push(source);
      continue;
    }
    const found = await allFiles(source, FILES);
    files.push(...found.files);
    notes.push(...found.notes);
  }
  return { files, notes };
}

async function isFolder(source: string): Promise<boolean> {
  try {
    return (await stat(source)).isDirectory();
  } catch {
    return false;
  }
}

function textIn(row: Readonly<Record<string, unknown>>, key: string, where: string): string {
  const text = row[key];
  if (typeof text === 'string') return text;
  const has = Object.keys(row).join(', ');
  throw new UserError(
    text === undefined
      ? `${where}: no key ${shown(key)}, the line has: ${has}`
      : `${where}: expected a text as ${shown(key)}, received ${shown(text)}`,
    'Set `text.column` to the key of the text.',
  );
}

/** Drops the byte order mark that some editors write. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'texts' }>> = {
  shares: 'parsed',
  read: (source, { text }) => readTexts(source, text!),
};
