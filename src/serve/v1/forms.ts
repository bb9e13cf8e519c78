import type { AnswerFormKind } from '../../recipe/task.ts';
import { best, finite, named } from './answers.ts';
import type { Said } from './answers.ts';
import { isPicture, samplesOf, sentencesIn } from './raw.ts';
import type { SentTo } from './raw.ts';
import type { DescribedModel } from './preparation.ts';
import { pixelsOf } from './read.ts';
import { detected, sentPicture } from './boxes.ts';
import type { Placed } from './boxes.ts';
import { segmented } from './masks.ts';
import { tagged } from './words.ts';
import type { Sentence } from './words.ts';

/** What of a request its answers need. */
export interface AnswerNeeds {
  readonly sentences?: readonly Sentence[] | undefined;
  readonly picture?: Placed | undefined;
}

/** A request that was read, with the values of all samples. */
export interface ReadRequest extends AnswerNeeds {
  readonly raw: Float32Array | Uint8Array;
}

interface AnswerContext extends AnswerNeeds, AskedOf {
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

interface SaidForm {
  /** True if a model chooses among names, of which clients can ask for more than one with `top`. */
  readonly isChoice: boolean;
  /** True if the answer to a sample has every value of the model. */
  readonly saysAll?: true;
  /** Reason for refusing a model whose file lacks what this form needs; follows `model NAME` in the message. */
  readonly needs?: string;
  /** Reads a request. `Refusal` for what is wrong with it. */
  readonly read: (sent: SentTo) => Promise<ReadRequest>;
  /** The JSON answer to a sample from the model's output row. */
  readonly answerOf: (row: readonly number[], sample: number, context: AnswerContext) => object;
}

const read = async (sent: SentTo): Promise<ReadRequest> => ({ raw: await samplesIn(sent) });

const values: SaidForm = {
  isChoice: false,
  saysAll: true,
  read,
  answerOf: (row, _, { said }) => ({ values: named(row, said) }),
};

/** Answers at `/v1/M` by their form. */
export const SAID: Readonly<Record<AnswerFormKind, SaidForm>> = {
  classes: { isChoice: true, read, answerOf: (row, _, { said, top }) => best(row, said, top) },
  numbers: values,
  labels: values,
  tags: {
    isChoice: true,
    needs:
      'gives words tags, and its file does not say how words become its input, or answers with another shape than [batch, tokens, tags]: send token ids',
    read: async (sent) => {
      const sentences = await sentencesIn(sent);
      return { raw: Float32Array.from(sentences.flatMap(({ encoded }) => Array.from(encoded.ids))), sentences };
    },
    answerOf: (row, sample, { sentences, said, top }) => tagged(sentences![sample]!, row, said, top),
  },
  mask: {
    isChoice: false,
    read,
    answerOf: (row, _, { said, described }) => segmented(row, said, described.shape),
  },
  boxes: {
    isChoice: false,
    read: async (sent) => ({ ...(await read(sent)), picture: await sentPicture(sent) }),
    answerOf: (row, _, { said, described: { overlap, threshold }, picture, score }) =>
      detected(row, said, picture!, { overlap, threshold: score ?? threshold }),
  },
  vector: { isChoice: false, saysAll: true, read, answerOf: (row) => ({ embedding: row.map(finite) }) },
};

/** Samples before preparation: pixels of a picture, or what other bodies say. */
async function samplesIn(sent: SentTo): Promise<Float32Array | Uint8Array> {
  return isPicture(sent.contentType) ? pixelsOf(sent.body, sent.described) : samplesOf(sent);
}
