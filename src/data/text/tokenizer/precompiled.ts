type Replacement = (piece: Uint8Array) => string | undefined;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Replacements compiled by sentencepiece: base64 of the size of a double-array trie over UTF-8 (Aoe 1989), the trie, and texts that end in 0. Read as
 * by the Rust package spm_precompiled: the replacement of a prefix of a grapheme of up to 5 bytes replaces the whole grapheme; other graphemes are
 * replaced character by character.
 */
export function precompiled(charsmap: string | null): (text: string) => string {
  if (charsmap === null) return (text) => text;
  const replacement = replacementsOf(Uint8Array.from(atob(charsmap), (letter) => letter.charCodeAt(0)));
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
  const known = new Map<string, string>();
  const made = (grapheme: string): string => {
    const bytes = encoder.encode(grapheme);
    const whole = bytes.length < 6 ? replacement(bytes) : undefined;
    return whole ?? Array.from(grapheme, (letter) => replacement(encoder.encode(letter)) ?? letter).join('');
  };
  return (text) => {
    let out = '';
    for (const { segment } of graphemes.segment(text)) {
      let found = known.get(segment);
      if (found === undefined) known.set(segment, (found = made(segment)));
      out += found;
    }
    return out;
  };
}

function replacementsOf(bytes: Uint8Array): Replacement {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length < 4 ? Infinity : view.getUint32(0, true);
  if (size > bytes.length - 4 || size % 4 !== 0 || size === 0) throw new Error('its precompiled_charsmap is cut off');
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  return (piece) => {
    const at = firstPrefix(units, piece);
    return at === undefined ? undefined : decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
  };
}

/** Value of the shortest key in the trie that `piece` begins with. */
function firstPrefix(units: Uint32Array, piece: Uint8Array): number | undefined {
  const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  const label = (unit: number): number => (unit & ((1 << 31) | 0xff)) >>> 0;
  let position = offset(units[0]!);
  for (const byte of piece) {
    if (byte === 0) return undefined;
    position ^= byte;
    const unit = units[position]!;
    if (label(unit) !== byte) return undefined;
    position ^= offset(unit);
    if (((unit >>> 8) & 1) === 1) return units[position]! & 0x7fffffff;
  }
  return undefined;
}
