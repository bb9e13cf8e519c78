import { Slot } from '../../base/registry.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import { statedForm } from '../../recipe/stated-names.ts';
import type { StatedNames } from '../../recipe/stated-names.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import type { Said } from './answers.ts';
import type { DescribedModel, DescribedSource } from './described.ts';
import type { ReadRequest, SentTo } from './raw.ts';

interface AnswerContext extends AskedOf, Pick<ReadRequest, 'needs'> {
  readonly said: Said;
  readonly described: DescribedModel;
}

/** Parts of the answer that a client chooses. */
export interface AskedOf {
  /** Number of classes to name for each sample. */
  readonly top?: number | undefined;
  /** Lowest score of a box. */
  readonly score?: number | undefined;
}

/** Samples of a request in words, and schemas of it by content type. */
export interface Taken {
  readonly samples: string;
  readonly content: object;
}

/** Answers of a form at `/v1/M`, and their schemas in the OpenAPI document. */
export interface SaidForm {
  /** Description of the parameter `top`, by which clients ask for more than one of the names; absent if a model does not choose among names. */
  readonly choice?: string;
  /** Parameter `score`, the lowest score of what is answered; absent if the parts of an answer have no scores. */
  readonly least?: { readonly description: string; readonly usual: (described: DescribedModel) => number };
  /** True if an answer is a vector, which may be asked for as base64, and by which samples are compared. */
  readonly isVector?: true;
  /** True if the answer to a sample has every value of the model. */
  readonly saysAll?: true;
  /** Reason for refusing a model whose file lacks what this form needs; follows `model NAME` in the message. */
  readonly needs?: string;
  /** What the file of a model says of its answers besides their names; undefined for a file that lacks what this form needs. Default: nothing. */
  readonly stated?: (
    model: DescribedSource,
    of: { readonly names: readonly string[] | undefined; readonly text: TextForm | undefined },
  ) => object | undefined;
  /** Reads a request. `Refusal` for what is wrong with it. Default: pixels of a picture, or what other bodies say. */
  readonly read?: (sent: SentTo) => Promise<ReadRequest>;
  /** The JSON answer to a sample from the model's output row. */
  readonly answerOf: (row: readonly number[], sample: number, context: AnswerContext) => object;
  /** Answers of a model, and those to each sample, in words. */
  readonly answered: string;
  readonly each: string;
  /** Default: pictures, sounds, texts or raw values, as the model takes them. */
  readonly taken?: () => Taken;
  /** Schema of the answer to a sample. */
  readonly prediction: (names: readonly string[] | undefined, logits: boolean) => object;
}

/** What is said of answers by their form; the form of a model is loaded with the model. */
export const SAID = new Slot<SaidForm>(answerForms, 'said', 'answers at /v1');

/** Loads what is said of the answers of a model, which its description, its requests and its answers need. */
export async function loadForm(stated: StatedNames): Promise<void> {
  await SAID.load(statedForm(stated).kind);
}

/** What is said of the answers of a model, and their names. */
export function saidOf(stated: StatedNames): {
  readonly form: SaidForm;
  readonly names: readonly string[] | undefined;
} {
  const { kind, names } = statedForm(stated);
  return { form: SAID.of(kind), names };
}
