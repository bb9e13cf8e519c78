import { RandomStream } from '../../src/base/random.ts';

/**
 * CSV of sentences of up to `length` token ids, 1 to `vocabulary` - 1, the low ones the most frequent, as in a text, and padded with
 * 0. Token 1 or 2 says which of two classes a sentence is of.
 */
export function sentences(count: number, length: number, vocabulary: number): string {
  const random = new RandomStream('tokens');
  const rows = Array.from({ length: count }, () => {
    const [label, words] = [random.below(2), 2 + random.below(length - 1)];
    const word = (): number => 2 + Math.floor((vocabulary - 3 + 1) ** random.uniform());
    const tokens = Array.from({ length }, (_, i) => (i < words ? word() : 0));
    tokens[random.below(words)] = 1 + label;
    return [...tokens, ['no', 'yes'][label]].join(',');
  });
  const header = [...Array.from({ length }, (_, i) => `t${i}`), 'label'].join(',');
  return [header, ...rows, ''].join('\n');
}
