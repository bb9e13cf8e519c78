import { storedTokenizer } from '../../data/text/open.ts';
import { tokenizerFor } from '../../data/text/tokenizer/encode.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';

/** The beginning of a text, as a model reads it. */
interface Prompt {
  /** [length]: the end of another text, then the tokens of this one, of which the last fit in; then padding, which the model does not see before. */
  readonly ids: Int32Array;
  /** Index of the last token, behind which the next one comes. */
  readonly last: number;
}

export type PromptEncoder = (text: string) => Prompt;

/** Encoder of beginnings of texts for a model, by what its file says and the tokenizer.json in its folder. `UserError` where that is missing or another one. */
export async function promptEncoder(form: TextForm, folder: string): Promise<PromptEncoder> {
  const tokenizer = tokenizerFor(form, await storedTokenizer(form, folder));
  return (text) => {
    const tokens = [form.padding, ...tokenizer.ids(text, false)].slice(-form.length);
    const ids = new Int32Array(form.length).fill(form.padding);
    ids.set(tokens);
    return { ids, last: tokens.length - 1 };
  };
}
