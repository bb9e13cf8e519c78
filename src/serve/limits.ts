import { Refusal } from './refusal.ts';

/** Limits on what requests to a model hold, and on its answers. */
export interface ModelLimits {
  /** Letters of a text; undefined: by the tokens that the model takes. */
  readonly letters: number | undefined;
  /** Open size of an input, such as the length of a sequence. */
  readonly openSize: number;
  /** Values of an answer that are written as text, such as JSON. */
  readonly values: number;
  /** Bytes of the tensors of an answer. */
  readonly bytes: number;
}

/** Letters for each token that a model takes, and letters of any text: far more than tokens have, and no normalizer takes a second for them. */
const LETTERS_OF_TOKEN = 64;
const LETTERS_OF_TEXT = 2 ** 14;

/** Refusal of a text that is far longer than what a model of `tokens` tokens reads of it, made before it is normalized. */
export function refuseLetters(
  { letters }: Pick<ModelLimits, 'letters'>,
  tokens: number,
  sample: number,
  given: number,
): void {
  const most = letters ?? Math.max(LETTERS_OF_TEXT, LETTERS_OF_TOKEN * tokens);
  if (given <= most) return;
  throw new Refusal(
    413,
    `sample ${sample} has ${given} letters, and the model reads ${tokens} tokens: send at most ${most} letters (--max-letters sets this limit)`,
  );
}
