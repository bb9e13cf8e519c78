import { readFileSync } from 'node:fs';
import path from 'node:path';
import { encoderFor } from '../../src/data/text/tokenizer/encode.ts';
import type { EncodedPart, TextForm } from '../../src/data/text/tokenizer/encode.ts';
import type { TokenizerJson } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import { wordEncoderFor, wordsIn } from '../../src/data/text/tokenizer/words.ts';
import type { Call } from './engines.ts';
import { wordPieces } from './tokenizer.ts';

/** A tokenizer as a kit has it. */
export interface Form {
  readonly name: string;
  readonly form: TextForm & { readonly parts?: readonly EncodedPart[] };
  readonly json?: TokenizerJson | undefined;
}

/** Ids of the bytes of each letter, behind two more where a letter does not begin a piece: whatever is done before the model shows in them. */
const BYTES = {
  ...{ type: 'BPE', merges: [], byte_fallback: true, continuing_subword_prefix: '@@' },
  vocab: Object.fromEntries(
    Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, byte]),
  ),
};

const asJson = (name: string, json: TokenizerJson, texts: 1 | 2 = 1): Form => ({
  ...{ name, json },
  form: { tokenizer: 'tokenizer.json', texts, length: 48, truncate: 'end', vocabulary: 9999, padding: 9998 },
});

/** The form of a model of three inputs, which has them in an order of its own. */
const ofThree = (one: Form): Form => ({ ...one, form: { ...one.form, parts: ['mask', 'types', 'ids'] } });

/** Forms of all kinds: the plain ones, and a tokenizer.json for each component of the fixtures. */
export function everyForm(): Form[] {
  const shared = { length: 40, truncate: 'start', padding: 0 } as const;
  const file = path.join(import.meta.dirname, '../data/fixtures/pieces.jsonl');
  const rows = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  const pieces = rows.map((row, i): Form => {
    const { kind, part } = JSON.parse(row) as { kind: 'normalizer' | 'preTokenizer' | 'model'; part: never };
    const key = { normalizer: 'normalizer', preTokenizer: 'pre_tokenizer', model: 'model' }[kind];
    return asJson(`${kind} ${i}`, { model: BYTES, [key]: part });
  });
  return [
    { name: 'bytes', form: { ...shared, tokenizer: 'bytes', texts: 1, vocabulary: 258 } },
    { name: 'bytes of pairs', form: { ...shared, tokenizer: 'bytes', texts: 2, vocabulary: 258 } },
    {
      name: 'hashed',
      form: { ...shared, tokenizer: 'hashed', texts: 2, vocabulary: 500, buckets: 500, ngrams: 3 },
    },
    asJson('pieces', wordPieces(['the', 'my', 'card', 'was', '##ed'])),
    asJson('pieces of pairs', wordPieces(['the', 'my', 'card', 'was', '##ed']), 2),
    ofThree(asJson('pieces, mask and types of pairs', wordPieces(['the', 'my', 'card', 'was', '##ed']), 2)),
    ...pieces,
  ];
}

/** Calls that ask the script for the ids of texts, and of the words that they are cut into at white space. */
export function callsFor({ form, json }: Form, texts: readonly string[]): Call[] {
  return [
    ['open', JSON.stringify(form), JSON.stringify(json ?? null)],
    ...samplesOf(form, texts).map((sample): Call => ['encode', JSON.stringify(sample)]),
    ...texts.map((text): Call => ['encodeWords', JSON.stringify(listOf(text))]),
  ];
}

/** What the library itself answers to these calls. */
export function answersOf({ form, json }: Form, texts: readonly string[]): unknown[] {
  const encode = encoderFor(form, json);
  const encodeWords = wordEncoderFor(form, json);
  return [
    {},
    ...samplesOf(form, texts).map((sample) =>
      tried(() => {
        const { tokens, ...parts } = encode(sample);
        const named = (form.parts ?? ['ids']).map((part) => [part, [...parts[part]]]);
        return { ...Object.fromEntries(named), tokens } as object;
      }),
    ),
    ...texts.map((text) =>
      tried(() => {
        const { ids, words } = encodeWords(listOf(text));
        return { ids: [...ids], words: [...words] };
      }),
    ),
  ];
}

/** Calls that cut texts into words, and the words. */
export function cuttings(texts: readonly string[]): { readonly calls: Call[]; readonly words: unknown[] } {
  return {
    calls: texts.map((text): Call => ['cutWords', JSON.stringify(text)]),
    words: texts.map((text) => ({ words: wordsIn(text) })),
  };
}

const samplesOf = ({ texts: count }: TextForm, texts: readonly string[]): string[][] =>
  texts.map((text, i) => (count === 1 ? [text] : [text, texts[(i + 1) % texts.length]!]));

const listOf = (text: string): string[] => text.split(/\s+/u).filter((word) => word !== '');

function tried(work: () => object): object {
  try {
    return work();
  } catch (error) {
    return { error: (error as Error).message };
  }
}
