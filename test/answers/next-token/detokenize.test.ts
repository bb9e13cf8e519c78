// Needs the feature next-token.
import { readFileSync } from 'node:fs';
import { detokenizerOf } from '../../../src/answers/next-token/detokenize.ts';
import { tokenizerFor } from '../../../src/data/text/tokenizer/encode.ts';
import type { TokenizerJson } from '../../../src/data/text/tokenizer/tokenizer-json.ts';

const phrases = JSON.parse(readFileSync('datasets/wordnet-phrases/tokenizer.json', 'utf8')) as TokenizerJson;

const of = (decoder: object | null, vocab: readonly string[]) =>
  detokenizerOf({
    model: { type: 'WordLevel', vocab: Object.fromEntries(vocab.map((token, id) => [token, id])) },
    added_tokens: [],
    decoder: decoder as { type: string } | null,
  });

it('gives back the texts whose ids a tokenizer of bytes in pairs made', () => {
  const [ids, text] = [tokenizerFor({ tokenizer: 'tokenizer.json' }, phrases), detokenizerOf(phrases)];
  for (const one of ['a person who', '  two  spaces', 'naïve café, 10 %', '日本語 and 👍'])
    expect(text([0, ...ids.ids(one, false)])).toBe(one);
  const thumb = ids.ids('👍', false);
  expect(text(thumb.slice(0, 2))).toMatch(/^\uFFFD+$/);
  const bytes = tokenizerFor({ tokenizer: 'bytes' }, undefined);
  expect(detokenizerOf(undefined)([257, ...bytes.ids('é\uFEFFa', false), 0])).toBe('é\uFEFFa');
});

// Texts by the Rust package `tokenizers` 0.22.
it.each<[string, object | null, readonly string[], string]>([
  ['Metaspace', { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' }, ['▁a', 'b▁', '▁c'], 'ab  c'],
  ['WordPiece', { type: 'WordPiece', prefix: '##', cleanup: true }, ['it', "'", '##s', 'good', '.'], "it 's good."],
  ['BPEDecoder', { type: 'BPEDecoder', suffix: '</w>' }, ['a', 'b</w>', 'c</w>'], 'ab c'],
  [
    'Sequence',
    {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    ['▁▁a', '<0xE2>', '<0x82>', '<0xAC>', '▁b', '<0xC3>'],
    ' a€ b\uFFFD',
  ],
  ['none', null, ['a', 'b'], 'a b'],
])('decoder %s', (_, decoder, vocab, expected) => {
  expect(of(decoder, vocab)([...vocab.keys()])).toBe(expected);
});
