import { RandomStream } from '../../src/base/random.ts';

const FIRST = ['Ada', 'Bo', 'Cleo', 'Dan', 'Eve', 'Finn'];
const LAST = ['Stone', 'Field', 'Marsh', 'Wood'];
const PLACES = ['Rome', 'Oslo', 'Lima', 'Bern'];
const WORDS = ['walks', 'sees', 'the', 'old', 'house', 'in', 'near', 'and', 'rain', 'falls'];

interface Tagged {
  readonly tokens: readonly string[];
  readonly tags: readonly string[];
}

/** Sentences with people of one or two words and places of one, in IOB2. */
export function taggedSentences(count: number, key: string): Tagged[] {
  const random = new RandomStream('tags', key);
  const pick = (from: readonly string[]): string => from[random.below(from.length)]!;
  return Array.from({ length: count }, () => {
    const parts: (readonly [string, string])[] = [];
    const words = (): void => {
      for (let i = 1 + random.below(3); i > 0; i--) parts.push([pick(WORDS), 'O']);
    };
    words();
    parts.push([pick(FIRST), 'B-PER']);
    if (random.uniform() < 0.5) parts.push([pick(LAST), 'I-PER']);
    words();
    if (random.uniform() < 0.7) parts.push([pick(PLACES), 'B-LOC']);
    return { tokens: parts.map(([word]) => word), tags: parts.map(([, tag]) => tag) };
  });
}

/** JSON lines. */
export function asJsonl(rows: readonly object[]): string {
  return rows.map((one) => JSON.stringify(one)).join('\n');
}

export function asConll(sentences: readonly Tagged[]): string {
  return sentences.map(({ tokens, tags }) => tokens.map((token, i) => `${token} ${tags[i]!}\n`).join('')).join('\n');
}
