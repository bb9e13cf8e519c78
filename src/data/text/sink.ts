import { UserError, shown } from '../../base/errors.ts';
import type { TableOptions, TokenInput } from '../config.ts';
import type { InputPart, RawSplit } from '../dataset.ts';
import { inputParts } from '../inputs.ts';
import type { RoomGiven } from '../storage/memory-budget.ts';
import { TableSink } from '../readers/table.ts';
import type { Encoded, TextForm } from './tokenizer/encode.ts';
import type { OpenText } from './open.ts';
import { readByTokenizer } from './read-by.ts';

/** Receiver of the rows of a file, numbers or texts. */
export type RowSink = Pick<TableSink, 'columns' | 'begin' | 'setText' | 'setValue' | 'end' | 'finish'> &
  Partial<Pick<TableSink, 'beginFile'>>;

export const PARTS = { input_ids: 'ids', attention_mask: 'mask', token_type_ids: 'types' } as const;

/** Slices of a sample for the inputs of a model with several inputs. */
export function tokenInputs(names: readonly TokenInput[], { length }: Pick<TextForm, 'length'>): InputPart[] {
  return inputParts(names.map((name) => ({ name, shape: [length], isWhole: true })));
}

/** Share of cut samples above which a warning is given. */
const CUT = 0.01;

/** Collects rows of texts as token ids, followed by masks and types for a model with several inputs. */
export class TextSink implements RowSink {
  readonly columns: readonly string[];
  readonly #source: string;
  readonly #text: OpenText;
  readonly #table: TableSink;
  readonly #isDropping: boolean;
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
    { missing = 'error', ...options }: TableOptions & RoomGiven,
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
    this.#isDropping = missing === 'drop';
    const { length } = text.form;
    const names = Array.from({ length: length * (text.inputs?.length ?? 1) }, (_, i) => `token ${i}`);
    this.#table = new TableSink(source, names, { ...options, shape: undefined, missing: 'drop' }, expectedRows, labels);
  }

  begin(): void {
    this.#texts = [];
    this.#isDropped = false;
    this.#table.begin();
  }

  setText(column: number, text: string, where: () => string): void {
    if (text.includes('\uFFFD') || /\p{Surrogate}/u.test(text)) throw this.#notUtf8(column, where);
    if (!/[^\p{White_Space}\0]/u.test(text)) {
      if (!this.#isDropping) throw this.#empty(column, where);
      this.#isDropped = true;
    }
    this.#texts[column] = text;
  }

  setValue(column: number, value: unknown, where: () => string): void {
    if (value instanceof Uint8Array) {
      try {
        this.setText(column, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value), where);
      } catch (error) {
        throw error instanceof UserError ? error : this.#notUtf8(column, where);
      }
    } else if (typeof value === 'string') this.setText(column, value, where);
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
      const encoded = this.#encoded(where);
      this.#count++;
      this.#text.onText?.(row, this.#texts, this.#texts);
      if (encoded.tokens > this.#text.form.length) this.#cut++;
      const { inputs = ['input_ids'] } = this.#text;
      inputs.forEach((input, i) => {
        const values = encoded[PARTS[input]];
        for (let at = 0; at < values.length; at++) this.#table.setValue(i * values.length + at, values[at], where);
      });
    }
    this.#table.end(labels, where);
  }

  finish(): RawSplit {
    const { form, inputs } = this.#text;
    const split = this.#table.finish();
    const share = this.#cut / Math.max(1, this.#count);
    const note =
      `${this.#source}: ${this.#cut} of ${this.#count} texts have more than ${form.length} tokens and lose their ` +
      `${form.truncate}; set \`text.length\` to read more of them`;
    return {
      ...split,
      text: form,
      columns: this.columns,
      ...(inputs !== undefined && {
        inputs: tokenInputs(inputs, form),
      }),
      ...(share > CUT && { notes: [...(split.notes ?? []), note] }),
    };
  }

  #encoded(where: () => string): Encoded {
    return readByTokenizer('text', where, () => this.#text.encode(this.#texts));
  }

  #empty(column: number, where: () => string): UserError {
    return new UserError(
      `${where()}: ${this.#named(column)}the text is empty`,
      'Remove it, or set `missing: drop` to leave out samples without a text.',
    );
  }

  #notUtf8(column: number, where: () => string): UserError {
    return new UserError(
      `${where()}: ${this.#named(column)}the text holds bytes that are no UTF-8, or the sign U+FFFD that such bytes become`,
      'Save the file as UTF-8, or convert it, e.g. with `iconv -f latin1 -t utf-8`; take the sign U+FFFD out.',
    );
  }

  #named(column: number): string {
    const name = this.columns[column];
    return name === undefined || name === '' ? '' : `column ${shown(name)}: `;
  }
}
