import type { Detokenizer } from './detokenize.ts';
import type { TokenReader } from './whole-reader.ts';

export interface ProposedWord {
  readonly word: string;
  /** Share among the words that were found. */
  readonly probability: number;
}

interface Writing {
  readonly reader: TokenReader;
  readonly tokensOf: (text: string) => number[];
  readonly detokenize: Detokenizer;
  /** Id that ends a text. */
  readonly end: number;
}

/** Beginning of a word. */
interface Beam {
  readonly ids: readonly number[];
  readonly text: string;
  readonly probability: number;
}

/** Beginnings of words that are followed at once. */
const BEAMS = 6;

/** Largest number of tokens of a word. */
const LONGEST = 8;

/** First letter of what stands behind a word. */
const BOUNDARY = /^[^\p{L}\p{M}\p{N}'’-]/u;

/**
 * The likeliest words at the end of a text: those that begin with its last letters, or behind white space the next ones. Tokens of the last word are taken
 * back, because its beginning alone may be other tokens than in the whole word; a beam search then goes through tokens that spell what was typed. A word is
 * as probable as its tokens and a boundary behind them.
 */
export function wordsBehind(
  text: string,
  count: number,
  { reader, tokensOf, detokenize, end }: Writing,
): ProposedWord[] {
  const [typed] = /\p{White_Space}?[\p{L}\p{M}\p{N}'’-]*$/u.exec(text)!;
  const prompt = tokensOf(text.slice(0, text.length - typed.length));
  const pieces = piecesOf(detokenize, tokensOf);
  const found = new Map<string, number>();
  let beams: Beam[] = [{ ids: [], text: '', probability: 1 }];
  for (let step = 0; step <= LONGEST && beams.length > 0; step++) {
    const next: Beam[] = [];
    for (const beam of beams) {
      const shares = softmax(reader.logits([...prompt, ...beam.ids]));
      const isWord = beam.text.length >= typed.length && /[\p{L}\p{N}]/u.test(beam.text);
      let ends = 0;
      for (const [id, share] of shares.entries()) {
        const piece = id === end ? undefined : pieces(id);
        if (isWord && (piece === undefined || BOUNDARY.test(piece))) ends += share;
        else if (piece !== undefined && piece !== '') {
          const longer = beam.text + piece;
          if (!(longer.length < typed.length ? typed.startsWith(longer) : longer.startsWith(typed))) continue;
          // One white space, then a word; signs by themselves are no word.
          if (!/^\p{White_Space}?[\p{L}\p{M}\p{N}'’-]*$/u.test(longer)) continue;
          next.push({ ids: [...beam.ids, id], text: longer, probability: beam.probability * share });
        }
      }
      const word = beam.text.trim();
      if (ends > 0) found.set(word, (found.get(word) ?? 0) + beam.probability * ends);
    }
    beams = next.sort((a, b) => b.probability - a.probability).slice(0, BEAMS);
    // A word is at most as probable as its beginning.
    const least = [...found.values()].sort((a, b) => b - a)[count - 1] ?? 0;
    beams = beams.filter(({ probability }) => probability > least);
  }
  return best(found, count);
}

function best(found: ReadonlyMap<string, number>, count: number): ProposedWord[] {
  const all = [...found.values()].reduce((sum, share) => sum + share, 0);
  const words = [...found].map(([word, share]) => ({ word, probability: share / all }));
  return words.sort((a, b) => b.probability - a.probability || (a.word < b.word ? -1 : 1)).slice(0, count);
}

const known = new WeakMap<Detokenizer, Map<number, string | undefined>>();

/** Text of a token behind others; undefined for a token that is no whole characters. */
function piecesOf(detokenize: Detokenizer, tokensOf: (text: string) => number[]): (id: number) => string | undefined {
  const cached = known.get(detokenize) ?? new Map<number, string | undefined>();
  known.set(detokenize, cached);
  // Some decoders treat the first token in another way.
  const before = tokensOf('a');
  const size = detokenize(before).length;
  return (id) => {
    if (!cached.has(id)) {
      const piece = detokenize([...before, id]).slice(size);
      cached.set(id, piece.includes('\uFFFD') ? undefined : piece);
    }
    return cached.get(id);
  };
}

function softmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = Float64Array.from(logits, (logit) => Math.exp(logit - most));
  const all = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / all);
}
