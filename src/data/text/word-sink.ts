import { shown, UserError } from '../../base/errors.ts';
import { taskRow } from '../../recipe/task.ts';
import type { TableOptions } from '../config.ts';
import type { RawSplit } from '../dataset.ts';
import { growingInts } from '../storage/growing-array.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { tagsIn } from './tokenizer/words.ts';
import { TableSink } from '../readers/table.ts';
import { InvalidTexts } from './invalid.ts';
import type { OpenText } from './open.ts';
import { PARTS, TextSink, tokenInputs } from './sink.ts';
import type { RowSink } from './sink.ts';
import { isWord } from './tokenizer/encode.ts';
import { TAG_SEPARATOR } from './tokenizer/words.ts';
import { readByTokenizer } from './read-by.ts';

/** Receiver of rows of texts, read as whole texts or as words, depending on the task. */
export function textSink(...given: ConstructorParameters<typeof TextSink>): RowSink {
  const { task } = given[3];
  return taskRow(task).answersPer === 'word' ? new WordSink(...given) : new TextSink(...given);
}

/** Collects lists of words as token ids, with the first token of each word, and their tags. */
export class WordSink implements RowSink {
  readonly columns: readonly string[];
  readonly #source: string;
  readonly #text: OpenText;
  readonly #table: TableSink;
  readonly #separator: string;
  readonly #starts = growingInts();
  readonly #counts = growingInts();
  readonly #invalid: InvalidTexts;
  /** Undefined: the sentence is left out. */
  #words: readonly string[] | undefined = [];
  #rows = 0;
  #cut = 0;
  #empty = 0;
  #all = 0;

  constructor(
    source: string,
    columns: readonly string[],
    text: OpenText,
    { missing, separator = TAG_SEPARATOR, ...options }: TableOptions & RoomGiven,
    expectedRows: number,
    labels?: readonly string[],
  ) {
    if (missing !== undefined && missing !== 'error')
      throw new UserError(
        `missing: ${missing} is not for words with a tag each`,
        'Leave it out, and complete or remove the sample.',
      );
    this.columns = columns;
    this.#source = source;
    this.#text = text;
    this.#separator = separator;
    const names = Array.from({ length: text.form.length * (text.inputs?.length ?? 1) }, (_, i) => `token ${i}`);
    this.#invalid = new InvalidTexts(text.invalid);
    this.#table = new TableSink(source, names, { ...options, shape: undefined, missing: 'drop' }, expectedRows, labels);
  }

  begin(): void {
    this.#words = [];
    this.#table.begin();
  }

  setText(_column: number, text: string, where: () => string): never {
    throw notWords(where, this.columns[0]!, text);
  }

  setValue(column: number, value: unknown, where: () => string): void {
    const name = this.columns[column]!;
    if (!Array.isArray(value) || value.length === 0) throw notWords(where, name, value);
    for (const [at, word] of (value as readonly unknown[]).entries()) {
      if (typeof word !== 'string' || !isWord(word)) {
        throw new UserError(
          `${where()}: ${shown(name)}: expected a text for word ${at}, received ${shown(word)}`,
          'Correct the word, or remove it together with its tag.',
        );
      }
    }
    const words = (value as readonly string[]).map((word, at) =>
      this.#invalid.read(word, () => `${where()}: ${shown(name)}: word ${at}`, where),
    );
    this.#words = words.every((word) => word !== undefined) ? words : undefined;
  }

  endFile(file: string): Promise<void> {
    return this.#invalid.endFile(file);
  }

  end(labels: Parameters<TableSink['end']>[0], where: () => string): void {
    const words = this.#words;
    if (words === undefined) {
      this.#rows++;
      this.#table.setValue(0, null, where);
      this.#table.end(labels, where);
      return;
    }
    const encoded = readByTokenizer('words', where, () => this.#text.encodeWords(words));
    this.#checkTags(words, labels, where);
    const { form, inputs, onText } = this.#text;
    const from = this.#starts.length;
    this.#starts.extend(form.length).set(encoded.words, from);
    this.#counts.push(words.length);
    (inputs ?? ['input_ids']).forEach((input, i) => {
      const values = encoded[PARTS[input]];
      values.forEach((value, at) => this.#table.setValue(i * form.length + at, value, where));
    });
    const read = encoded.words.filter((word) => word >= 0);
    if (read.length === 0) {
      throw new UserError(
        `${where()}: none of its words has a token within ${form.length}: ${shown(words.slice(0, 3).join(' '))}`,
        'Remove the sentence, or take another tokenizer or a larger `text.length`.',
      );
    }
    onText?.(
      this.#rows,
      Array.from(read, (word) => words[word]!),
      words,
    );
    this.#rows++;
    this.#all += words.length;
    this.#cut += encoded.cut;
    this.#empty += encoded.empty;
    this.#table.end(labels, where);
  }

  finish(): RawSplit {
    const split = this.#table.finish();
    const { form, inputs } = this.#text;
    const notes = [
      ...this.#invalid.notes(this.#source, 'words'),
      ...(this.#cut === 0
        ? []
        : [
            `${this.#source}: ${this.#cut} of ${this.#all} words lie behind the first ${form.length} tokens of their sentence: they are neither learnt ` +
              'nor scored; set `text.length` to read more of them',
          ]),
      ...(this.#empty === 0
        ? []
        : [
            `${this.#source}: the tokenizer has no token for ${this.#empty} of ${this.#all} words: they are neither learnt nor scored`,
          ]),
    ];
    return {
      ...split,
      text: form,
      columns: this.columns,
      ...(inputs !== undefined && { inputs: tokenInputs(inputs, form) }),
      starts: { words: this.#starts.view(), counts: this.#counts.view() },
      ...(notes.length > 0 && { notes: [...(split.notes ?? []), ...notes] }),
    };
  }

  #checkTags(words: readonly string[], labels: readonly (string | undefined)[], where: () => string): void {
    const [text] = labels;
    if (text === undefined || text === '') {
      throw new UserError(
        `${where()}: the sentence has no tags`,
        'Give each of its words a tag, or remove it: a sentence without tags is not read for the task tagging.',
      );
    }
    const tags = tagsIn(text, this.#separator);
    if (tags.length !== words.length)
      throw new UserError(
        `${where()}: ${words.length} words and ${tags.length} tags`,
        'Every word needs one tag, and every tag a word.',
      );
    const none = tags.indexOf('');
    if (none !== -1)
      throw new UserError(
        `${where()}: the tag of word ${none}, ${shown(words[none])}, is empty`,
        'Give the word a tag, such as O where it belongs to no entity, or remove the sentence.',
      );
  }
}

function notWords(where: () => string, name: string, received: unknown): UserError {
  return new UserError(
    `${where()}: ${shown(name)}: expected a list of words, received ${shown(received)}`,
    'The task tagging reads a list of words and a list of as many tags: JSON lines such as {"tokens": ["New", "York"], "tags": ["B-LOC", "I-LOC"]}, or type: conll.',
  );
}
