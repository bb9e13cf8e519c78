import { BARE } from './template.ts';
import type { Tokenizer } from './tokenizer-json.ts';

const utf8 = new TextEncoder();

const PADDING = 0;

/** Tokenizer of UTF-8 bytes: ids 1 to 256; 257 separates the texts of a pair. */
export const bytes: Tokenizer = {
  vocabulary: 258,
  padding: PADDING,
  templates: {
    single: [{ text: 0, type: 0 }],
    pair: [
      { text: 0, type: 0 },
      { id: 257, type: 0 },
      { text: 1, type: 1 },
    ],
  },
  ids: (text) => Array.from(utf8.encode(text), (byte) => byte + 1),
};

const WORDS = /[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\p{White_Space}]/gu;

/**
 * Tokenizer of words and runs of up to `ngrams` words, lower-cased, by their hash (Weinberger et al. 2009, "Feature hashing for large scale multitask
 * learning"): ids 1 to `buckets` - 1. The second text of a pair is hashed differently.
 */
export function hashed(buckets: number, ngrams: number): Tokenizer {
  return {
    vocabulary: buckets,
    padding: PADDING,
    templates: BARE,
    ids: (text, second) => {
      const words = Array.from(text.normalize('NFKC').toLowerCase().matchAll(WORDS), ([word]) => word);
      const ids: number[] = [];
      words.forEach((_, i) => {
        // A word comes before its runs, so that cutting removes the end of the text.
        for (let n = 1; n <= Math.min(ngrams, i + 1); n++) {
          const run = words.slice(i + 1 - n, i + 1).join(' ');
          ids.push(1 + (fnv1a(second ? `\0${run}` : run) % (buckets - 1)));
        }
      });
      return ids;
    },
  };
}

/** The 32-bit hash of Fowler, Noll and Vo over UTF-8. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
