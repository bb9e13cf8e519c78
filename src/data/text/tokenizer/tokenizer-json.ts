import { finderOf } from './added-tokens.ts';
import type { AddedToken } from './added-tokens.ts';
import { largestId, tokenModelOf, vocabularyOf } from './models.ts';
import type { ModelPart } from './models.ts';
import { normalizerOf } from './normalizers.ts';
import type { Component } from './normalizers.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';
import { templatesOf } from './template.ts';
import type { Templates } from './template.ts';

/** Converts a text to ids. It also runs in browsers, in a kit; an Error for anything unsupported. */
export interface Tokenizer {
  /** Number of ids: the largest plus one. */
  readonly vocabulary: number;
  /** Id of padding; undefined for a tokenizer without padding. */
  readonly padding: number | undefined;
  readonly templates: Templates;
  /** Ids of a text, without special tokens of the template; `second`: for the second text of a pair. */
  ids(text: string, second: boolean): number[];
}

/** The parts of a tokenizer.json that are read. */
export interface TokenizerJson {
  readonly added_tokens?: readonly AddedToken[] | null;
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
  readonly post_processor?: Component | null;
  readonly model: ModelPart;
  readonly padding?: { readonly pad_id?: number } | null;
}

const PADDING = /^(?:\[PAD\]|<pad>|<\|pad\|>|<PAD>|\[pad\])$/;

/** Tokenizer from Hugging Face's tokenizer.json, with the ids of the Rust package `tokenizers`. */
export function tokenizerOf(json: TokenizerJson): Tokenizer {
  const added = json.added_tokens ?? [];
  refuseFirst(json);
  const normalizer = normalizerOf(json.normalizer);
  const preTokenizer = preTokenizerOf(json.pre_tokenizer);
  const model = tokenModelOf(json.model);
  const vocabulary = vocabularyOf(json.model);
  const isNormalized = (token: AddedToken): boolean => token.normalized ?? token.special !== true;
  const raw = finderOf(
    added.filter((token) => !isNormalized(token)),
    ({ content }) => content,
  );
  const normalized = finderOf(added.filter(isNormalized), ({ content }) => normalizer(content));
  const padding =
    json.padding?.pad_id ??
    added.find(({ content }) => PADDING.test(content))?.id ??
    [...vocabulary].find(([token]) => PADDING.test(token))?.[1];
  return {
    vocabulary: 1 + added.reduce((most, { id }) => Math.max(most, id), largestId(vocabulary)),
    padding,
    templates: templatesOf(json.post_processor),
    ids: (text) => {
      let isFirst = true;
      const ids: number[] = [];
      for (const part of raw(text)) {
        for (const piece of typeof part === 'number' ? [part] : normalized(normalizer(part))) {
          if (typeof piece === 'number') ids.push(piece);
          else for (const word of preTokenizer(piece, isFirst)) for (const id of model(word)) ids.push(id);
          isFirst = false;
        }
      }
      return ids;
    },
  };
}

/** Normalizers that can remove the start of a text. */
const SHORTENING = /"(?:Strip|Nmt|BertNormalizer|StripAccents|Precompiled)"|"content":""/;

/**
 * An Error for pre-tokenizers that need the original position of a word, if a normalizer may change it: the Rust package knows it, this code does
 * not.
 */
function refuseFirst({ normalizer, pre_tokenizer }: TokenizerJson): void {
  const found = SHORTENING.exec(JSON.stringify(normalizer ?? null));
  if (found === null || !JSON.stringify(pre_tokenizer ?? null).includes('"prepend_scheme":"first"')) return;
  throw new Error(`the pre-tokenizer Metaspace with prepend_scheme first is not supported behind ${found[0]}`);
}
