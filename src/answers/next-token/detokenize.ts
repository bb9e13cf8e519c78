import { LETTERS } from '../../data/text/tokenizer/normalizers.ts';
import type { Component } from '../../data/text/tokenizer/normalizers.ts';
import { vocabularyOf } from '../../data/text/tokenizer/models.ts';
import type { TokenizerJson } from '../../data/text/tokenizer/tokenizer-json.ts';

/** Text of token ids; special tokens, such as the end of a text, are left out. A character whose bytes are not whole yet is U+FFFD. */
export type Detokenizer = (ids: readonly number[]) => string;

/** What a decoder makes of the pieces of a text. */
type Decode = (pieces: readonly string[]) => string[];

// Without `ignoreBOM` a U+FEFF at the beginning would be lost.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

const BYTES = new Map(LETTERS.map((letter, byte) => [letter, byte]));

/** The text of ids by the decoder of a tokenizer.json, as the Rust package `tokenizers` has it; without a file that of bytes. An Error for unsupported decoders. */
export function detokenizerOf(
  json: (TokenizerJson & { readonly decoder?: Component | null }) | undefined,
): Detokenizer {
  if (json === undefined)
    return (ids) => utf8.decode(Uint8Array.from(ids.flatMap((id) => (id >= 1 && id <= 256 ? [id - 1] : []))));
  const tokens = new Map([...vocabularyOf(json.model)].map(([token, id]) => [id, token]));
  const skipped = new Set<number>();
  for (const { id, content, special } of json.added_tokens ?? []) {
    tokens.set(id, content);
    if (special === true) skipped.add(id);
  }
  const decode = decoderOf(json.decoder);
  return (ids) => decode(ids.flatMap((id) => (skipped.has(id) ? [] : (tokens.get(id) ?? [])))).join('');
}

/** The Rust package joins tokens by spaces where a file has no decoder. */
function decoderOf(component: Component | null | undefined): Decode {
  if (component === null || component === undefined) return (pieces) => [pieces.join(' ')];
  const factory = Object.hasOwn(DECODERS, component.type) ? DECODERS[component.type] : undefined;
  if (factory === undefined) throw new Error(`the decoder ${component.type} of its tokenizer.json is not supported`);
  return factory(component);
}

const DECODERS: Readonly<Record<string, (component: Component) => Decode>> = {
  ByteLevel: () => (pieces) => {
    // A token that was added is no sequence of bytes, and stands for itself.
    const encoder = new TextEncoder();
    const bytes = pieces.flatMap((piece) => {
      const own = Array.from(piece, (letter) => BYTES.get(letter));
      return own.every((byte) => byte !== undefined) ? own : [...encoder.encode(piece)];
    });
    return [utf8.decode(Uint8Array.from(bytes))];
  },
  Metaspace: ({ replacement = '▁', prepend_scheme = 'always', add_prefix_space }) => {
    const begins = prepend_scheme !== 'never' && add_prefix_space !== false;
    return (pieces) => pieces.map((piece, i) => piece.replaceAll(String(replacement), i === 0 && begins ? '' : ' '));
  },
  WordPiece:
    ({ prefix = '##', cleanup = true }) =>
    (pieces) =>
      pieces.map((piece, i) => {
        const isInside = piece.startsWith(String(prefix));
        const joined = i === 0 ? piece : isInside ? piece.slice(String(prefix).length) : ` ${piece}`;
        return cleanup === true ? cleaned(joined) : joined;
      }),
  BPEDecoder:
    ({ suffix = '</w>' }) =>
    (pieces) =>
      pieces.map((piece, i) => piece.replaceAll(String(suffix), i === pieces.length - 1 ? '' : ' ')),
  Fuse: () => (pieces) => [pieces.join('')],
  Replace: ({ pattern, content }) => {
    const { String: text, Regex: regex } = pattern as { String?: string; Regex?: string };
    const found = text ?? new RegExp(regex!, 'gu');
    return (pieces) => pieces.map((piece) => piece.replaceAll(found, () => String(content)));
  },
  Strip:
    ({ content, start = 0, stop = 0 }) =>
    (pieces) =>
      pieces.map((piece) => {
        const letter = String(content);
        let [from, to] = [0, piece.length];
        for (let i = 0; i < Number(start) && piece.startsWith(letter, from); i++) from += letter.length;
        for (let i = 0; i < Number(stop) && to > from && piece.endsWith(letter); i++) to -= letter.length;
        return piece.slice(from, to);
      }),
  ByteFallback: () => byteFallback,
  Sequence: ({ decoders }) => {
    const parts = (decoders as Component[]).map(decoderOf);
    return (pieces) => parts.reduce<string[]>((all, part) => part(all), [...pieces]);
  },
};

/** Runs of tokens such as <0xE2> are UTF-8; each byte of a run that is none is U+FFFD. */
function byteFallback(pieces: readonly string[]): string[] {
  const decoded: string[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length === 0) return;
    try {
      decoded.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(run)));
    } catch {
      decoded.push(...run.map(() => '\uFFFD'));
    }
    run = [];
  };
  for (const piece of pieces) {
    const [, hex] = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece) ?? [];
    if (hex !== undefined) run.push(Number.parseInt(hex, 16));
    else {
      flush();
      decoded.push(piece);
    }
  }
  flush();
  return decoded;
}

/** As `cleanup` of the Rust package has it: spaces before marks go. */
function cleaned(text: string): string {
  return [' .', ' ?', ' !', ' ,', " ' ", " n't", " 'm", ' do not', " 's", " 've", " 're"].reduce(
    (all, mark) => all.replaceAll(mark, CLEANED[mark] ?? mark.slice(1)),
    text,
  );
}

const CLEANED: Readonly<Record<string, string>> = { " ' ": "'", ' do not': " don't" };
