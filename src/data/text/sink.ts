import { UserError, shown } from '../../base/errors.ts';
import type { TableOptions, TokenInput } from '../config.ts';
import type { InputPart, RawSplit } from '../dataset.ts';
import { inputParts } from '../inputs.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { TableSink } from '../readers/table.ts';
import { isWord } from './tokenizer/encode.ts';
import type { Encoded, TextForm } from './tokenizer/encode.ts';
import { InvalidTexts } from './invalid.ts';
import type { OpenText } from './open.ts';
import { readByTokenizer } from './read-by.ts';

/** Receiver of the rows of a file, numbers or texts. */
export type RowSink = Pick<TableSink, 'columns' | 'begin' | 'setText' | 'setValue' | 'end' | 'finish'> &
  Partial<Pick<TableSink, 'beginFile'>> & {
    /** Called behind the last row of a text file. */
    readonly endFile?: (file: string) => Promise<void>;
  };

export const PARTS = { input_ids: 'ids', attention_mask: 'mask', token_type_ids: 'types' } as const;

/** Slices of a sample for the inputs of a model with several inputs. */
export function tokenInputs(names: readonly TokenInput[], { length }: Pick<TextForm, 'length'>): InputPart[] {
  return inputParts(names.map((name) => ({ name, shape: [length], isWhole: true })));
}

/** Share of cut samples above which a warning is given. */
const CUT = 0.01;

/** Padding in place of a text. */
function blankOf({ length, padding }: TextForm): Encoded {
  const none = new Int32Array(length);
  return { ids: new Int32Array(length).fill(padding), mask: none, types: none, tokens: 0 };
}

/** Collects rows of texts as token ids, followed by masks and types for a model with several inputs. */
export class TextSink implements RowSink {
  readonly columns: readonly string[];
  readonly #source: string;
  readonly #text: OpenText;
  readonly #table: TableSink;
  readonly #isDropping: boolean;
  readonly #isAlone: boolean;
  readonly #invalid: InvalidTexts;
  #texts: string[] = [];
  #isDropped = false;
  #rows = 0;
  #count = 0;
  #cut = 0;

  /** `columns`: names of the text columns. */
  constructor(
    source: string,
    columns: readonly string[],
    text: OpenText,
    { missing = 'error', part, ...options }: TableOptions & RoomGiven & { readonly part?: string | undefined },
    expectedRows: number,
    labels?: readonly string[],
  ) {
    if (missing === 'mean' || missing === 'zero') {
      throw new UserError(
        `missing: ${missing} is for numbers, received texts`,
        'Set `missing: drop` to leave out rows without a text.',
      );
    }
    this.columns = columns;
    this.#source = source;
    this.#text = text;
    this.#invalid = new InvalidTexts(text.invalid);
    this.#isDropping = missing === 'drop';
    this.#isAlone = text.isApart && (part === 'train' || part === 'unlabelled');
    const size = text.form.length * (text.inputs?.length ?? 1);
    const names = Array.from({ length: text.isApart ? 2 * size : size }, (_, i) => `token ${i}`);
    const shape = text.isApart ? [2, size] : undefined;
    this.#table = new TableSink(source, names, { ...options, shape, missing: 'drop' }, expectedRows, labels);
  }

  begin(): void {
    this.#texts = [];
    this.#isDropped = false;
    this.#table.begin();
  }

  setText(column: number, given: string | Uint8Array, where: () => string): void {
    const text = this.#invalid.read(given, () => `${where()}: ${this.#named(column)}the text`, where);
    if (text === undefined) {
      this.#isDropped = true;
      return;
    }
    if (!isWord(text) && !(this.#isAlone && column === 1)) {
      if (!this.#isDropping) throw this.#empty(column, where);
      this.#isDropped = true;
    }
    this.#texts[column] = text;
  }

  setValue(column: number, value: unknown, where: () => string): void {
    if (value instanceof Uint8Array || typeof value === 'string') this.setText(column, value, where);
    else if (value === null || value === undefined) this.setText(column, '', where);
    else {
      throw new UserError(
        `${where()}: column ${shown(this.columns[column])}: expected a text, received ${shown(value)}`,
        'Name columns of texts as `text.column`; numbers are features of a table, which needs no `text`.',
      );
    }
  }

  end(labels: Parameters<TableSink['end']>[0], where: () => string): void {
    const row = this.#rows++;
    if (this.#isDropped) this.#table.setValue(0, null, where);
    else {
      const { isApart, onText } = this.#text;
      const samples = isApart ? this.#texts.map((text) => [text]) : [this.#texts];
      samples.forEach((texts, i) => {
        if (i === 1 && !isWord(texts[0]) && labels.some(isWord)) throw this.#empty(i, where);
        this.#setSample(i, texts, where);
        onText?.(isApart ? 2 * row + i : row, texts, texts);
      });
    }
    this.#table.end(labels, where);
  }

  /** Sets the numbers of a sample: `at` 1 for the second of a row, which is blank if it has no text. */
  #setSample(at: number, texts: readonly string[], where: () => string): void {
    const { inputs = ['input_ids'], form } = this.#text;
    const encoded = texts.every(isWord) ? this.#encoded(texts, where) : blankOf(form);
    this.#count++;
    if (encoded.tokens > form.length) this.#cut++;
    inputs.forEach((input, i) => {
      const values = encoded[PARTS[input]];
      const first = (at * inputs.length + i) * form.length;
      for (let k = 0; k < form.length; k++) this.#table.setValue(first + k, values[k], where);
    });
  }

  endFile(file: string): Promise<void> {
    return this.#invalid.endFile(file);
  }

  finish(): RawSplit {
    const { form, inputs } = this.#text;
    const split = this.#table.finish();
    const share = this.#cut / Math.max(1, this.#count);
    const note =
      `${this.#source}: ${this.#cut} of ${this.#count} texts have more than ${form.length} tokens and lose their ` +
      `${form.truncate}; set \`text.length\` to read more of them`;
    const notes = [
      ...(split.notes ?? []),
      ...this.#invalid.notes(this.#source, 'texts'),
      ...(share > CUT ? [note] : []),
    ];
    return {
      ...split,
      text: form,
      columns: this.columns,
      ...(inputs !== undefined && {
        inputs: tokenInputs(inputs, form),
      }),
      ...(notes.length > 0 && { notes }),
    };
  }

  #encoded(texts: readonly string[], where: () => string): Encoded {
    return readByTokenizer('text', where, () => this.#text.encode(texts));
  }

  #empty(column: number, where: () => string): UserError {
    return new UserError(
      `${where()}: ${this.#named(column)}the text is empty`,
      'Remove it, or set `missing: drop` to leave out samples without a text.',
    );
  }

  #named(column: number): string {
    const name = this.columns[column];
    return name === undefined || name === '' ? '' : `column ${shown(name)}: `;
  }
}
