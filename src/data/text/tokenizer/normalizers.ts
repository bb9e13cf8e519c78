import { precompiled } from './precompiled.ts';
import { patternOf } from './pattern.ts';

/** A component of a tokenizer.json, by its `type`. */
export interface Component {
  readonly type: string;
  readonly [key: string]: unknown;
}

export type Normalizer = (text: string) => string;

const SPACE = /\p{White_Space}/u;

/** Lower-cases each character alone, as Rust does: `toLowerCase` on a word treats a final sigma differently. */
function lowerCase(text: string): string {
  // Only Σ, σ, İ and the like differ, so most texts need no second pass.
  return text.includes('\u03A3') ? Array.from(text, (letter) => letter.toLowerCase()).join('') : text.toLowerCase();
}

const CHINESE =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;

/** Devlin et al. 2018, "BERT": removes control characters, separates Chinese characters, strips accents and lower-cases. */
function bert({ clean_text, handle_chinese_chars, strip_accents, lowercase }: Component): Normalizer {
  const stripped = strip_accents ?? lowercase;
  return (given) => {
    let text = given;
    if (clean_text === true)
      text = text.replace(/\0|\uFFFD|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/gu, '').replace(/\p{White_Space}/gu, ' ');
    if (handle_chinese_chars === true) text = text.replace(CHINESE, ' $& ');
    if (stripped === true) text = text.normalize('NFD').replace(/\p{Mn}/gu, '');
    return lowercase === true ? lowerCase(text) : text;
  };
}

function strip({ strip_left, strip_right }: Component): Normalizer {
  return (text) => {
    let [start, end] = [0, text.length];
    if (strip_left === true) while (start < end && SPACE.test(text[start]!)) start++;
    if (strip_right === true) while (end > start && SPACE.test(text[end - 1]!)) end--;
    return text.slice(start, end);
  };
}

/** Sentencepiece's normalizer nmt: removes control characters, and turns unusual spaces into spaces. */
const nmt: Normalizer = (text) =>
  text
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken away
    .replace(/[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/g, '')
    .replace(/[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/g, ' ');

/** Maximum growth of a text by normalization, and maximum length of a replacement, in characters per character. */
const MOST_GROWTH = 100;

function contentOf(content: unknown): string {
  const text = String(content);
  if (text.length <= MOST_GROWTH) return text;
  throw new Error(`a normalizer writes ${text.length} letters, expected at most ${MOST_GROWTH}`);
}

type Factory = (component: Component) => Normalizer;

const FACTORIES: Readonly<Record<string, Factory>> = {
  BertNormalizer: bert,
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  Lowercase: () => lowerCase,
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  Strip: strip,
  Nmt: () => nmt,
  Prepend: (component) => {
    const prepend = contentOf(component['prepend']);
    return (text) => (text === '' ? '' : prepend + text);
  },
  Replace: (component) => {
    const pattern = patternOf(component['pattern']);
    const content = contentOf(component['content']);
    return (text) => text.replace(pattern, () => content);
  },
  Precompiled: (component) => precompiled(component['precompiled_charsmap'] as string | null),
  ByteLevel: () => byteLetters,
  Sequence: (component) => {
    const parts = (component['normalizers'] as Component[]).map(normalizerOf);
    return (text) =>
      parts.reduce((so, part) => {
        const { length } = so;
        if (length > MOST_GROWTH * (text.length + 1))
          throw new Error(
            `the normalizers make ${length} letters of ${text.length}, expected at most ${MOST_GROWTH} of each`,
          );
        return part(so);
      }, text);
  },
};

export function normalizerOf(component: Component | null | undefined): Normalizer {
  if (component === null || component === undefined) return (text) => text;
  const factory = Object.hasOwn(FACTORIES, component.type) ? FACTORIES[component.type] : undefined;
  if (factory === undefined) throw new Error(`the normalizer ${component.type} is not supported`);
  return factory(component);
}

/** A printable character for each byte, as in GPT-2: visible Latin-1 characters for themselves, U+0100 and up for the others. */
export const LETTERS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte).map((byte, _, all) => {
  const isSeen = (one: number): boolean =>
    (one >= 0x21 && one <= 0x7e) || (one >= 0xa1 && one <= 0xac) || (one >= 0xae && one <= 0xff);
  return String.fromCharCode(isSeen(byte) ? byte : 256 + all.slice(0, byte).filter((one) => !isSeen(one)).length);
});

const utf8 = new TextEncoder();

/** The UTF-8 bytes of a text as printable characters. */
export function byteLetters(text: string): string {
  return Array.from(utf8.encode(text), (byte) => LETTERS[byte]!).join('');
}
