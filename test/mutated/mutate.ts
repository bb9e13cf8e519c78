import type { RandomStream } from '../../src/base/random.ts';

export interface Mutation {
  /** Positions that are worth changing in place; default: all. */
  readonly places?: readonly number[];
  /** Whether words and signs are changed too, as by a person or a faulty program. */
  readonly text?: boolean;
}

/** What no reader hopes to find where it expects something else. */
const WORDS = [
  ...['', '0', '-1', '1e999', '9007199254740993', '1000000000', 'NaN', 'null', 'true', '""', '"', "'", '\0', '\x1b[2J'],
  ...[
    '[',
    ']',
    '{',
    '}',
    '[]',
    '{}',
    ':',
    ',',
    '\n',
    '\t',
    '- ',
    '&a ',
    '*a',
    '!x ',
    '__proto__',
    'ß',
    '\u{1f600}',
    '\ufeff',
  ],
];

/** A copy of a valid file with one to four things changed; the same stream gives the same copies. */
export function mutant(valid: Uint8Array, random: RandomStream, { places, text = false }: Mutation = {}): Uint8Array {
  let bytes: Uint8Array = valid.slice();
  for (let n = 1 + random.below(4); n > 0; n--) {
    bytes = text && random.below(2) === 0 ? withOtherToken(bytes, random) : withOtherBytes(bytes, random, places);
  }
  return bytes;
}

/** Mostly in place: what moves all that follows is noticed sooner. */
function withOtherBytes(bytes: Uint8Array, random: RandomStream, places?: readonly number[]): Uint8Array {
  if (bytes.length < 8) return Uint8Array.from({ length: 8 }, () => random.below(256));
  const at =
    places === undefined
      ? random.below(bytes.length)
      : Math.min(places[random.below(places.length)]!, bytes.length - 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (random.below(10)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return spliced(
        bytes,
        at,
        0,
        Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256)),
      );
    case 2:
      return spliced(bytes, at, 0, bytes.slice(at, at + 1 + random.below(64)));
    case 3:
      return spliced(bytes, at, 1 + random.below(16), new Uint8Array(0));
    case 4:
    case 5:
      view.setUint32(Math.min(at & ~3, bytes.length - 4), random.below(2) === 0 ? 0xffffffff : random.uint32(), true);
      return bytes;
    case 6:
    case 7:
      bytes[at] = random.below(256);
      return bytes;
    default:
      bytes[at]! ^= 1 << random.below(8);
      return bytes;
  }
}

/** Replaces, removes, repeats or moves a word or sign. */
function withOtherToken(bytes: Uint8Array, random: RandomStream): Uint8Array {
  // As Latin-1 every byte is a letter, whatever was done to the text before.
  const tokens =
    Buffer.from(bytes)
      .toString('latin1')
      .match(/[\w.+-]+|\s+|[^]/g) ?? [];
  const [at, other] = [random.below(tokens.length + 1), random.below(tokens.length + 1)];
  const word = Buffer.from(WORDS[random.below(WORDS.length)]!).toString('latin1');
  switch (random.below(4)) {
    case 0:
      tokens.splice(at, 1);
      break;
    case 1:
      tokens.splice(at, 0, ...tokens.slice(at, at + 1 + random.below(8)));
      break;
    case 2:
      tokens.splice(at, 1, tokens[other] ?? '');
      break;
    default:
      tokens.splice(at, 1, word);
  }
  return new Uint8Array(Buffer.from(tokens.join(''), 'latin1'));
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]));
}
