/** Ids of a piece of text; tokens never span two pieces. */
export type TokenModel = (piece: string) => readonly number[];

export interface ModelPart {
  readonly type?: string;
  readonly vocab: unknown;
  readonly unk_token?: string | null;
  readonly continuing_subword_prefix?: string | null;
  readonly end_of_word_suffix?: string | null;
  readonly [key: string]: unknown;
}

type Vocabulary = ReadonlyMap<string, number>;

/** `vocab` of any model; Unigram's has another form. */
export function vocabularyOf({ type, vocab }: ModelPart): Vocabulary {
  if (type === 'Unigram' || Array.isArray(vocab))
    return new Map((vocab as [string, number][]).map(([token], id) => [token, id]));
  return new Map(Object.entries(vocab as Record<string, number>));
}

/** Id of the token that stands for unknown words, if a tokenizer has one. */
export function unknownId({ model }: { readonly model: ModelPart }): number | undefined {
  return typeof model['unk_id'] === 'number' ? model['unk_id'] : vocabularyOf(model).get(model.unk_token ?? '');
}

/** Largest id; -1 for an empty vocabulary. */
export function largestId(vocabulary: ReadonlyMap<string, number>): number {
  let largest = -1;
  for (const id of vocabulary.values()) largest = Math.max(largest, id);
  return largest;
}

function unknownOf({ unk_token }: ModelPart, vocabulary: Vocabulary): number | undefined {
  if (unk_token === null || unk_token === undefined) return undefined;
  const id = vocabulary.get(unk_token);
  if (id === undefined) throw new Error(`its unknown token ${unk_token} is not in its vocabulary`);
  return id;
}

/** Wu et al. 2016, "Google's neural machine translation system": takes the longest known piece, from left to right. */
function wordPiece(part: ModelPart): TokenModel {
  const vocabulary = vocabularyOf(part);
  const unknown = unknownOf({ ...part, unk_token: part.unk_token ?? '[UNK]' }, vocabulary)!;
  const most = Number(part['max_input_chars_per_word'] ?? 100);
  const prefix = part.continuing_subword_prefix ?? '##';
  return (word) => {
    const letters = Array.from(word);
    if (letters.length > most) return [unknown];
    const ids: number[] = [];
    for (let start = 0; start < letters.length;) {
      let end = letters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = vocabulary.get((start === 0 ? '' : prefix) + letters.slice(start, end).join(''));
        if (id !== undefined) break;
      }
      if (id === undefined) return [unknown];
      ids.push(id);
      start = end;
    }
    return ids;
  };
}

const utf8 = new TextEncoder();

/** The byte tokens <0x00> … of a text; undefined if the vocabulary lacks any. */
function byteTokens(text: string, vocabulary: Vocabulary): number[] | undefined {
  const ids = Array.from(utf8.encode(text), (byte) =>
    vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

/** Sennrich et al. 2016, "Neural machine translation of rare words with subword units": merges pairs in the order they were learned. */
function bytePairs(part: ModelPart): TokenModel {
  const vocabulary = vocabularyOf(part);
  const unknown = unknownOf(part, vocabulary);
  if (Number(part['dropout'] ?? 0) > 0) throw new Error('its model drops merges at random (dropout)');
  const prefix = part.continuing_subword_prefix ?? '';
  const suffix = part.end_of_word_suffix ?? '';
  const size = largestId(vocabulary) + 1;
  /** Rank and resulting id of a pair, keyed by first · size + second. */
  const merges = new Map<number, readonly [rank: number, id: number]>();
  (part['merges'] as (string | [string, string])[]).forEach((merge, rank) => {
    const [a, b] = typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge;
    const [first, second] = [vocabulary.get(a), vocabulary.get(b)];
    const joined = vocabulary.get(a + (b.startsWith(prefix) ? b.slice(prefix.length) : b));
    if (first === undefined || second === undefined || joined === undefined)
      throw new Error(`its merge ${a} ${b} is not in its vocabulary`);
    if (!merges.has(first * size + second)) merges.set(first * size + second, [rank, joined]);
  });
  const letterIds = (word: string): number[] => {
    const letters = Array.from(word);
    let wasUnknown = false;
    return letters.flatMap((letter, i): number[] => {
      const text = (i > 0 ? prefix : '') + letter + (i === letters.length - 1 ? suffix : '');
      const id = vocabulary.get(text);
      const found = id === undefined && part['byte_fallback'] === true ? byteTokens(text, vocabulary) : undefined;
      const isFused = wasUnknown && part['fuse_unk'] === true;
      wasUnknown = id === undefined && found === undefined;
      if (id !== undefined) return [id];
      return found ?? (unknown === undefined || isFused ? [] : [unknown]);
    });
  };
  const joined = (ids: number[]): number[] => {
    const mergeAt = (at: number) => merges.get(ids[at]! * size + ids[at + 1]!);
    const rankAt = (at: number): number => mergeAt(at)?.[0] ?? Infinity;
    // Cached for each pair: looking them up again for each merge took most of the time.
    const ranks = ids.map((_, at) => rankAt(at));
    for (;;) {
      let at = 0;
      for (let i = 1; i < ranks.length; i++) if (ranks[i]! < ranks[at]!) at = i;
      const merge = mergeAt(at);
      if (merge === undefined) return ids;
      ids.splice(at, 2, merge[1]);
      ranks.splice(at, 1);
      ranks[at] = rankAt(at);
      if (at > 0) ranks[at - 1] = rankAt(at - 1);
    }
  };
  return (word) => {
    const whole = part['ignore_merges'] === true ? vocabulary.get(word) : undefined;
    return whole === undefined ? joined(letterIds(word)) : [whole];
  };
}

/** Penalty of an unknown character below the score of the least likely token. */
const UNKNOWN_PENALTY = 10;

/** Kudo 2018, "Subword regularization": the most likely segmentation, by Viterbi. */
function unigram(part: ModelPart): TokenModel {
  const vocab = part.vocab as readonly [string, number][];
  const vocabulary = vocabularyOf(part);
  const unknown = typeof part['unk_id'] === 'number' ? part['unk_id'] : undefined;
  const longest = vocab.reduce((most, [token]) => Math.max(most, token.length), 0);
  const lowest = vocab.reduce((least, [, score]) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  return (text) => {
    const scores = new Float64Array(text.length + 1).fill(-Infinity);
    const starts = new Int32Array(text.length + 1).fill(-1);
    const ids = new Int32Array(text.length + 1);
    scores[0] = 0;
    const reach = (from: number, to: number, id: number, score: number): void => {
      const total = scores[from]! + score;
      if (starts[to] !== -1 && total <= scores[to]!) return;
      scores[to] = total;
      starts[to] = from;
      ids[to] = id;
    };
    for (let from = 0; from < text.length;) {
      const letter = text.codePointAt(from)! > 0xffff ? 2 : 1;
      let isKnown = false;
      for (let to = from + letter; to <= Math.min(text.length, from + longest); to++) {
        const id = vocabulary.get(text.slice(from, to));
        if (id === undefined) continue;
        reach(from, to, id, vocab[id]![1]);
        if (to === from + letter) isKnown = true;
      }
      if (!isKnown) reach(from, from + letter, unknown ?? -1, lowest);
      from += letter;
    }
    return traced(text, starts, ids);
  };

  function traced(text: string, starts: Int32Array, ids: Int32Array): number[] {
    const found: (readonly number[])[] = [];
    for (let to = text.length; to > 0;) {
      let from = starts[to]!;
      if (ids[to] === (unknown ?? -1)) {
        // Adjacent unknown characters become one token.
        while (from > 0 && ids[from] === (unknown ?? -1)) from = starts[from]!;
        const piece = text.slice(from, to);
        const bytes = part['byte_fallback'] === true ? byteTokens(piece, vocabulary) : undefined;
        if (bytes === undefined && unknown === undefined)
          throw new Error(`it knows no token for ${JSON.stringify(piece)} and none for unknown words`);
        found.push(bytes ?? [vocabulary.get(piece) ?? unknown!]);
      } else found.push([ids[to]!]);
      to = from;
    }
    return found.reverse().flat();
  }
}

function wordLevel(part: ModelPart): TokenModel {
  const vocabulary = vocabularyOf(part);
  const unknown = unknownOf(part, vocabulary);
  return (word) => {
    const id = vocabulary.get(word) ?? unknown;
    if (id === undefined) throw new Error(`it knows no token for ${JSON.stringify(word)} and none for unknown words`);
    return [id];
  };
}

const MODELS: Readonly<Record<string, (part: ModelPart) => TokenModel>> = {
  WordPiece: wordPiece,
  BPE: bytePairs,
  Unigram: unigram,
  WordLevel: wordLevel,
};

/** The model of a tokenizer.json; older files do not name its type. */
export function tokenModelOf(part: ModelPart): TokenModel {
  const type =
    part.type ?? (Array.isArray(part.vocab) ? 'Unigram' : part['merges'] === undefined ? 'WordPiece' : 'BPE');
  const factory = Object.hasOwn(MODELS, type) ? MODELS[type] : undefined;
  if (factory === undefined) throw new Error(`the model ${type} is not supported`);
  return remembering(factory({ ...part, type }));
}

/** Maximum number of pieces with cached ids: words recur. */
const KEPT = 20_000;
const LONGEST_KEPT = 64;

function remembering(model: TokenModel): TokenModel {
  const kept = new Map<string, readonly number[]>();
  return (piece) => {
    if (piece.length > LONGEST_KEPT) return model(piece);
    let ids = kept.get(piece);
    if (ids === undefined) {
      if (kept.size >= KEPT) kept.clear();
      kept.set(piece, (ids = model(piece)));
    }
    return ids;
  };
}
