import { RandomStream } from '../../src/base/random.ts';

const WHO = ['the cat', 'a dog', 'the old man', 'my sister', 'the bird'];
const DOES = ['sees', 'likes', 'hears', 'eats'];
const WHAT = ['the sun', 'a fish', 'the rain', 'some bread', 'the sea'];

/** Short sentences of a small grammar, as JSON lines with the key `text`. */
export function phrasesAsJsonl(count: number, key: string): string {
  const random = new RandomStream('phrases', key);
  const one = (of: readonly string[]): string => of[Math.floor(random.uniform() * of.length)]!;
  const lines = Array.from({ length: count }, () => JSON.stringify({ text: `${one(WHO)} ${one(DOES)} ${one(WHAT)}.` }));
  return `${lines.join('\n')}\n`;
}
