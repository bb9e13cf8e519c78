/**
 * The encodings that the tokenizers use, in plain JavaScript, for the self-contained script of a kit: an engine outside of browsers and Node, such as
 * JavaScriptCore in an app, lacks them. They also replace the built-in ones, so that every engine runs the same code.
 */

const UNKNOWN = 0xfffd;

/** UTF-8 encoder of the Encoding Standard: half of a surrogate pair becomes U+FFFD. */
export class TextEncoder {
  encode(text: string): Uint8Array {
    const bytes: number[] = [];
    const follow = (bits: number): number => 0x80 | (bits & 0x3f);
    for (const letter of text) {
      const found = letter.codePointAt(0)!;
      const code = found >= 0xd800 && found <= 0xdfff ? UNKNOWN : found;
      if (code < 0x80) bytes.push(code);
      else if (code < 0x800) bytes.push(0xc0 | (code >> 6), follow(code));
      else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), follow(code >> 6), follow(code));
      else bytes.push(0xf0 | (code >> 18), follow(code >> 12), follow(code >> 6), follow(code));
    }
    return Uint8Array.from(bytes);
  }
}

/** UTF-8 decoder of the Encoding Standard: drops a byte order mark, and replaces each invalid part by U+FFFD. */
export class TextDecoder {
  decode(bytes: Uint8Array): string {
    let text = '';
    for (let at = 0; at < bytes.length;) {
      const [code, size] = letterAt(bytes, at);
      text += String.fromCodePoint(code);
      at += size;
    }
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  }
}

/** Decodes a code point, with its number of bytes. Narrower bounds of some second bytes exclude overlong forms and surrogates. */
function letterAt(bytes: Uint8Array, at: number): readonly [code: number, size: number] {
  const lead = bytes[at]!;
  if (lead < 0x80) return [lead, 1];
  if (lead < 0xc2 || lead > 0xf4) return [UNKNOWN, 1];
  const following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  let code = lead & (0x3f >> following);
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i <= following; i++) {
    const byte = bytes[at + i] ?? 0;
    if (byte < low || byte > high) return [UNKNOWN, i];
    code = (code << 6) | (byte & 0x3f);
    [low, high] = [0x80, 0xbf];
  }
  return [code, following + 1];
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Decodes base64 to a string with a character for each byte; an Error for anything else. */
export function atob(text: string): string {
  const written = text.replace(/[\t\n\f\r ]+/g, '');
  const digits = written.length % 4 === 0 ? written.replace(/={1,2}$/, '') : written;
  if (digits.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(digits)) throw new Error('it is not base64');
  let out = '';
  let [bits, held] = [0, 0];
  for (const digit of digits) {
    bits = ((bits << 6) | DIGITS.indexOf(digit)) & 0x3fff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += String.fromCharCode((bits >> held) & 0xff);
  }
  return out;
}
