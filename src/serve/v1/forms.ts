import type { AnswerFormKind } from '../../recipe/task.ts';
import type { Reader } from '../reading/reader.ts';
import { best, finite, named } from './answers.ts';
import type { Said } from './answers.ts';
import { isPicture, isText } from './raw.ts';
import type { SentTo } from './raw.ts';
import { pixelsOf } from './read.ts';
import { detected, sentPicture } from './boxes.ts';
import { segmented } from './masks.ts';
import { tagged } from './words.ts';

/** A request that was read: `raw` holds the values of all samples; `answerOf` makes the JSON answer to a sample from the model's output row. */
interface ReadRequest {
  readonly raw: Float32Array | Uint8Array;
  readonly answerOf: (row: readonly number[], sample: number) => object;
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
  /** True if an answer takes milliseconds to make: other requests are answered between those to the samples of a request. */
  readonly isLong?: true;
  /** Reason for refusing a model whose file lacks what this form needs; follows `model NAME` in the message. */
  readonly needs?: string;
  /** Reads a request. `Refusal` for what is wrong with it. */
  readonly read: (reader: Reader, sent: SentTo & { body: Buffer }, said: Said, asked?: AskedOf) => Promise<ReadRequest>;
}

const values: SaidForm = {
  isChoice: false,
  read: async (reader, sent, said) => ({
    raw: await samplesIn(reader, sent),
    answerOf: (row) => ({ values: named(row, said) }),
  }),
};

/** Answers at `/v1/M` by their form. */
export const SAID: Readonly<Record<AnswerFormKind, SaidForm>> = {
  classes: {
    isChoice: true,
    read: async (reader, sent, said, { top } = {}) => ({
      raw: await samplesIn(reader, sent),
      answerOf: (row) => best(row, said, top),
    }),
  },
  numbers: values,
  labels: values,
  tags: {
    isChoice: true,
    needs:
      'gives words tags, and its file does not say how words become its input, or answers with another shape than [batch, tokens, tags]: send token ids',
    read: async (reader, sent, said, { top } = {}) => {
      const sentences = await reader.read('sentences', sent, sent.body.length);
      return {
        raw: Float32Array.from(sentences.flatMap(({ encoded }) => Array.from(encoded.ids))),
        answerOf: (row, sample) => tagged(sentences[sample]!, row, said, top),
      };
    },
  },
  mask: {
    isChoice: false,
    isLong: true,
    read: async (reader, sent, said) => ({
      raw: await samplesIn(reader, sent),
      answerOf: (row) => segmented(row, said, sent.described.shape),
    }),
  },
  boxes: {
    isChoice: false,
    isLong: true,
    read: async (reader, sent, said, { score } = {}) => {
      const raw = await samplesIn(reader, sent);
      const picture = await sentPicture(sent);
      const { overlap, threshold } = sent.described;
      return { raw, answerOf: (row) => detected(row, said, picture, { overlap, threshold: score ?? threshold }) };
    },
  },
  vector: {
    isChoice: false,
    read: async (reader, sent) => ({
      raw: await samplesIn(reader, sent),
      answerOf: (row) => ({ embedding: row.map(finite) }),
    }),
  },
};

/** Samples before preparation: pixels of a picture, or what `Reader` makes of other bodies. */
async function samplesIn(reader: Reader, sent: SentTo & { body: Buffer }): Promise<Float32Array | Uint8Array> {
  const { contentType, body, described } = sent;
  if (isPicture(contentType)) return pixelsOf(body, described);
  const isNumbers = described.text === undefined && isText(contentType);
  return reader.read(isNumbers ? 'numbers' : 'samples', sent, body.length);
}
