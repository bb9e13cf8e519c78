import { isWord } from '../../data/text/tokenizer/encode.ts';
import { storedWordEncoder } from '../../data/text/open.ts';
import { wordsIn } from '../../data/text/tokenizer/words.ts';
import type { EncodedWords } from '../../data/text/tokenizer/words.ts';
import { classProperties } from '../../serve/http/openapi-answers.ts';
import { jsonOf, objectOf, TEXT } from '../../serve/http/openapi-schemas.ts';
import { refuseLetters } from '../../serve/limits.ts';
import { Refusal, refuseTooMany } from '../../serve/refusal.ts';
import { best } from '../../serve/v1/answers.ts';
import type { Class, Said } from '../../serve/v1/answers.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { isText } from '../../serve/v1/raw.ts';
import type { SentTo } from '../../serve/v1/raw.ts';
import { contentOfBody, encodersBy, holdsNumbers, lettersOf, listIn, readOrRefuse } from '../../serve/v1/texts.ts';
import { bordersOf, entitiesOf, markEntities, tagsAt } from './entities.ts';

/** Words as they were sent or as a text was cut into them, and what a model is fed of them. */
interface Sentence {
  readonly words: readonly string[];
  readonly encoded: EncodedWords;
}

/** The answer to a sentence. */
interface Tagged {
  /** Every word with its tag; a word alone where the model was not fed it. */
  readonly words: readonly ({ readonly word: string } & Partial<Class>)[];
  /** Words without a tag: behind the last token that the model takes, or without a token of its tokenizer. */
  readonly unread?: number;
  /** Entities by the places of their first and their last word, from 0; absent of tags that mark none, such as parts of speech. */
  readonly entities?: readonly {
    readonly type: string;
    readonly text: string;
    readonly from: number;
    readonly to: number;
  }[];
}

const EXPECTED = 'a text, an array of texts, or an array of lists of words, as in {"inputs": [["New", "York"]]}';

/** Words of one request, which the answer has one by one. */
const MOST_WORDS = 50_000;

const encoderOf = encodersBy(storedWordEncoder);

/** The sentences of a request to a model that gives words tags. */
async function sentencesIn({ model, described, ...sent }: SentTo): Promise<readonly Sentence[]> {
  if (!isText(sent.contentType))
    throw new Refusal(400, `model ${model.name} takes texts and lists of words: send JSON or text/plain`);
  const form = described.text!;
  const { values } = contentOfBody(sent);
  if (holdsNumbers(values))
    throw new Refusal(
      400,
      `expected ${EXPECTED}, received numbers: token ids do not tell where words begin; send them to /v2/models/${model.name}/infer`,
    );
  const given = listIn(values, EXPECTED);
  refuseTooMany(model, given.length);
  given.forEach((sample, i) => {
    const texts = Array.isArray(sample)
      ? sample.filter((one): one is string => typeof one === 'string')
      : [String(sample)];
    refuseLetters(model.limits, form.length, i, lettersOf(texts));
  });
  const sentences = given.map(wordsOf);
  const words = sentences.reduce((sum, { length }) => sum + length, 0);
  if (words > MOST_WORDS)
    throw new Refusal(400, `a request has up to ${MOST_WORDS} words, received ${words}: send it in parts`);
  const encode = await encoderOf(model, form);
  return sentences.map((words, i) => ({ words, encoded: readOrRefuse('words', i, () => encode(words)) }));
}

function wordsOf(sample: unknown): readonly string[] {
  if (typeof sample === 'string') {
    const words = wordsIn(sample);
    if (words.length > 0) return words;
    throw new Refusal(400, 'the text is empty');
  }
  if (!Array.isArray(sample) || sample.length === 0)
    throw new Refusal(400, `expected ${EXPECTED}, received ${JSON.stringify(sample).slice(0, 80)}`);
  const words = sample as readonly unknown[];
  const wrong = words.findIndex((word) => typeof word !== 'string' || !isWord(word));
  if (wrong === -1) return words as readonly string[];
  throw new Refusal(400, `expected a text for word ${wrong}, received ${JSON.stringify(words[wrong]).slice(0, 80)}`);
}

/** Tags of the words of a sentence, by the answer [tokens, tags] of a model: each word has the tag of its first token. */
function tagged(
  { words, encoded }: Sentence,
  answer: readonly number[],
  { names: tags = [], logits }: Said,
  top: number | undefined,
): Tagged {
  const width = tags.length;
  const places = [...encoded.words.keys()].filter((at) => encoded.words[at]! >= 0);
  // Places among all words of those that have a tag.
  const read = places.map((at) => encoded.words[at]!);
  const classes = new Map(
    places.map((at, i) => [read[i]!, best(answer.slice(at * width, (at + 1) * width), { names: tags, logits }, top)]),
  );
  const unread = words.length - places.length;
  return {
    words: words.map((word, i) => ({ word, ...classes.get(i) })),
    ...(unread > 0 && { unread }),
    ...(markEntities(tags) && {
      entities: entitiesOf(tagsAt(answer, places, width), bordersOf(tags)).map((entity) => {
        const [from, to] = [read[entity.from]!, read[entity.to]!];
        return { type: entity.type, text: words.slice(from, to + 1).join(' '), from, to };
      }),
    }),
  };
}

function takenWords() {
  const sample = { anyOf: [TEXT, { type: 'array', items: TEXT, minItems: 1 }] };
  const inputs = { anyOf: [TEXT, { type: 'array', items: sample, minItems: 1 }] };
  return {
    samples: 'the words of texts, or of lists of words',
    content: { ...jsonOf(objectOf({ inputs })), 'text/plain': { schema: TEXT } },
  };
}

/** A text with a tag for each word. */
function sentenceSchema(tags: readonly string[] | undefined, logits: boolean): object {
  const place = { type: 'integer', minimum: 0 };
  const word = {
    type: 'object',
    required: ['word'],
    description: 'Without a tag where the model was not fed the word',
    properties: { word: TEXT, ...classProperties(tags, logits) },
  };
  return {
    type: 'object',
    required: ['words'],
    properties: {
      words: { type: 'array', items: word },
      unread: { type: 'integer', minimum: 1, description: 'Words without a tag, where there are any' },
      entities: {
        type: 'array',
        items: objectOf({ type: TEXT, text: TEXT, from: place, to: place }),
        description: 'With the places of their first and their last word; absent of tags that mark none',
      },
    },
  };
}

export const said: SaidForm = {
  choice: 'Tags to name for each word',
  needs:
    'gives words tags, and its file does not say how words become its input, or answers with another shape than [batch, tokens, tags]: send token ids',
  // Without its tokenizer and its tags nothing tells which answers are those to words.
  stated: ({ facts: { outputs } }, { names = [], text }) =>
    text?.texts === 1 && outputs[0]?.shape.slice(1).join() === `${text.length},${names.length}` ? {} : undefined,
  read: async (sent) => {
    const sentences = await sentencesIn(sent);
    return { raw: Float32Array.from(sentences.flatMap(({ encoded }) => Array.from(encoded.ids))), needs: sentences };
  },
  answerOf: (row, sample, { needs, said: as, top }) => tagged((needs as readonly Sentence[])[sample]!, row, as, top),
  answered: 'Tags',
  each: 'Tags and entities of each sample',
  taken: takenWords,
  prediction: sentenceSchema,
};
