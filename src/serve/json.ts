import { Refusal } from './refusal.ts';

/** Arrays and objects inside of each other: a tensor has up to 16 sizes, and a few levels around it. */
const DEEPEST = 32;
/** Keys of all objects together: a batch of rows of a wide table has some ten thousand. */
const MOST_KEYS = 100_000;

const [QUOTE, BACKSLASH, COLON, OPEN, CLOSE, OPEN_BRACE] = [0x22, 0x5c, 0x3a, 0x5b, 0x5d, 0x7b];

/** `Refusal` for JSON, or for numbers as fields of a message, of more bytes than the server takes. */
export function refuseLong(bytes: number, most: number): void {
  if (bytes <= most) return;
  throw new Refusal(
    413,
    `more than ${most} bytes besides binary data: send tensors as binary data (--max-json sets this limit)`,
  );
}

/**
 * The value of a body. Its depth and the number of its keys are counted in the bytes before it is parsed: of these a few MB cost
 * seconds and gigabytes. `Refusal` with `message` of what is wrong for bytes that are no JSON.
 */
export function jsonIn(bytes: Uint8Array, message: (why: string) => string): unknown {
  if (!isFlat(bytes)) refuseMonster(bytes);
  try {
    return JSON.parse(bufferOf(bytes).toString('utf8'));
  } catch (error) {
    throw new Refusal(400, message((error as Error).message.slice(0, 200)));
  }
}

/**
 * True of up to half of `DEEPEST` brackets, of braces and of colons, as in JSON of little but numbers. They are searched ten times as fast as
 * bytes are read one by one.
 */
export function isFlat(bytes: Uint8Array): boolean {
  const buffer = bufferOf(bytes);
  return [OPEN, OPEN_BRACE, COLON].every((byte) => {
    let count = 0;
    for (let at = buffer.indexOf(byte); at >= 0; at = buffer.indexOf(byte, at + 1))
      if (++count > DEEPEST / 2) return false;
    return true;
  });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function refuseMonster(bytes: Uint8Array): void {
  let [depth, keys] = [0, 0];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    // Most bytes are of numbers, which lie below all others that count here but the quote.
    if (byte < COLON && byte !== QUOTE) continue;
    if (byte === QUOTE) {
      for (i++; i < bytes.length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++;
    } else if (byte === COLON) {
      if (++keys > MOST_KEYS) throw new Refusal(400, `the JSON has more than ${MOST_KEYS} keys: send it in parts`);
      // Braces are brackets with this bit.
    } else if ((byte & 0xdf) === OPEN) {
      if (++depth > DEEPEST) throw new Refusal(400, `the JSON is nested more than ${DEEPEST} deep`);
    } else if ((byte & 0xdf) === CLOSE) depth--;
  }
}
