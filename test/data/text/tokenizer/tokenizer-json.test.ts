import { encoderOf } from '../../../../src/data/text/tokenizer/encode.ts';
import { tokenizerOf } from '../../../../src/data/text/tokenizer/tokenizer-json.ts';
import type { TokenizerJson } from '../../../../src/data/text/tokenizer/tokenizer-json.ts';
import { wordEncoderOf } from '../../../../src/data/text/tokenizer/words.ts';
import { wordPieces } from '../../../support/tokenizer.ts';

const WORDS = ['card', 'my', 'lost', '##ed', 'go'];
const json = wordPieces(WORDS);
const id = (token: string): number => (json.model.vocab as Record<string, number>)[token]!;

const with_ = (change: Partial<TokenizerJson>): TokenizerJson => ({ ...json, ...change });

describe('tokenizer.json', () => {
  it('cuts words into the longest pieces, in small letters and without accents', () => {
    const { ids } = tokenizerOf(json);
    expect(ids('My CÁRD!', false)).toEqual([id('my'), id('card'), 1]);
    expect(ids('goed lost[SEP]', false)).toEqual([id('go'), id('##ed'), id('lost'), 3]);
    expect(ids('', false)).toEqual([]);
  });

  it('gives no token for a text of which its normalizer leaves nothing, not even the space before a text', () => {
    const model = { type: 'Unigram', vocab: [['<unk>', 0], ['\u2581', -1], ['a', -1]], unk_id: 0 }; // prettier-ignore
    const { ids } = tokenizerOf({ model, normalizer: { type: 'Nmt' }, pre_tokenizer: { type: 'Metaspace' } });
    expect([ids('a', false), ids('\u0001', false)]).toEqual([[1, 2], []]);
  });

  it('finds a token of spaces behind one that takes the spaces behind it, as Rust does', () => {
    const added = [{ id: 3, content: '[SEP]', special: true, rstrip: true }, { id: 9, content: '  ', normalized: false }]; // prettier-ignore
    const { ids } = tokenizerOf(with_({ added_tokens: added }));
    expect(ids('[SEP]   my', false)).toEqual([3, 9, id('my')]);
    expect(ids('[SEP] my', false)).toEqual([3, id('my')]);
  });

  it('makes the small letter of a sigma at the end of a word that Rust makes', () => {
    const greek = with_({ model: { ...json.model, vocab: { '[UNK]': 0, οδοσ: 1, οδος: 2 } } });
    expect(tokenizerOf({ ...greek, added_tokens: [] }).ids('ΟΔΟΣ', false)).toEqual([1]);
  });

  it.each<[string, Partial<TokenizerJson>, RegExp | string]>([
    ['a normalizer', { normalizer: { type: 'Bert2' } }, /the normalizer Bert2 is not supported/],
    ['a pre-tokenizer', { pre_tokenizer: { type: 'UnicodeScripts' } }, /the pre-tokenizer UnicodeScripts is not/],
    ['a post-processor', { post_processor: { type: 'Odd' } }, /the post-processor Odd is not/],
    ['a model', { model: { type: 'Odd', vocab: {} } }, /the model Odd is not supported/],
    ['dropout', { model: { type: 'BPE', vocab: { a: 0 }, merges: [], dropout: 0.1 } }, /at random/],
    ['a merge', { model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b'] } }, /its merge a b is not/],
    ['a pattern', { pre_tokenizer: { type: 'Split', pattern: { Regex: 'a++' }, behavior: 'Removed' } }, /possessive/],
    [
      'a long content',
      { normalizer: { type: 'Prepend', prepend: 'a'.repeat(1e6) } },
      /writes 1000000 letters, expected at most 100$/,
    ],
    ...[
      ['(?:x+x+)+y', 'a repeated group with alternatives or repeated parts'],
      ['(?:x|x)*y', 'a repeated group with alternatives or repeated parts'],
      ['((?i:x?))+y', 'a repeated group with alternatives or repeated parts'],
      ['(x[a)]*){30}y', 'a repeated group with alternatives or repeated parts'],
      ['\\s*\\s*\\s*x{2,}y', 'more than 3 repeated parts in a row'],
      ['(?:a*)(?:b|a+)(?:a*)(a*)y', 'more than 3 repeated parts in a row'],
      [
        '[a-z]{1,50}[a-z]{1,50}[a-z]{1,50}[a-z]{1,50}y',
        'repeated parts and alternatives in a row that match a text in 125000 ways, more than 10000,',
      ],
      [
        `${'(a|a)'.repeat(14)}y`,
        'repeated parts and alternatives in a row that match a text in 16384 ways, more than 10000,',
      ],
      [
        `${'a?'.repeat(30)}y`,
        'repeated parts and alternatives in a row that match a text in 16384 ways, more than 10000,',
      ],
      ['(?:x{1000}){1001}', 'the number 1001, which is more than 1000,'],
      [`${'('.repeat(5000)}x${')'.repeat(4999)}`, 'groups in more than 20 others'],
    ].map(([Regex, what]): [string, Partial<TokenizerJson>, string] => [
      `the pattern ${Regex!.slice(0, 20)}`,
      { pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Removed' } },
      `holds ${what!}, which is not supported`,
    ]),
    [
      'a first word that may have moved',
      {
        normalizer: { type: 'Strip', strip_left: true },
        pre_tokenizer: { type: 'Metaspace', prepend_scheme: 'first' },
      },
      /prepend_scheme first/,
    ],
  ])('refuses %s that it does not know by name', (_, change, message) => {
    expect(() => tokenizerOf(with_(change))).toThrow(message);
  });

  // Of Llama 3, GPT-4o, CLIP and BLOOM: https://huggingface.co, tokenizer.json.
  it.each([
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}",
    "<\\|startoftext\\|>|'s|'t|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
    '\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))',
  ])('takes the pattern %s', (Regex) => {
    const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated' };
    expect(() => tokenizerOf(with_({ pre_tokenizer: split }))).not.toThrow();
  });

  it('refuses normalizers that make each other longer', () => {
    const normalizers = Array.from({ length: 40 }, () => ({
      type: 'Replace',
      pattern: { String: 'a' },
      content: 'aa',
    }));
    const long = tokenizerOf(with_({ normalizer: { type: 'Sequence', normalizers } }));
    expect(() => long.ids('a', false)).toThrow('the normalizers make 256 letters of 1, expected at most 100 of each');
  });

  it('has no padding where the file names none', () => {
    expect(tokenizerOf(json).padding).toBe(0);
    expect(tokenizerOf({ model: { type: 'WordLevel', vocab: { a: 3 } } })).toMatchObject({
      padding: undefined,
      vocabulary: 4,
    });
  });
});

describe('samples of a tokenizer', () => {
  const form = { tokenizer: 'tokenizer.json', length: 6, truncate: 'end', vocabulary: 99, padding: 0 } as const;

  it('takes as many texts as a sample has, and none that is empty', () => {
    const encode = encoderOf(tokenizerOf(json), { ...form, texts: 1 });
    expect(() => encode(['my', 'card'])).toThrow('expected a list of 1, received one of 2');
    expect(() => encode([' \n\u3000'])).toThrow('the text is empty');
    expect(() => encode([null as never])).toThrow('the text is empty');
    const words = wordEncoderOf(tokenizerOf(json), form);
    expect(() => words(['my', ' '])).toThrow('expected a text for word 1, received " "');
  });

  it('fills short texts up and cuts long ones, with the tokens of the template in their places', () => {
    const encode = encoderOf(tokenizerOf(json), { ...form, texts: 1 });
    expect(encode(['my card'])).toEqual({
      ids: Int32Array.of(2, id('my'), id('card'), 3, 0, 0),
      mask: Int32Array.of(1, 1, 1, 1, 0, 0),
      types: new Int32Array(6),
      tokens: 4,
    });
    expect([...encode(['my card my card lost']).ids]).toEqual([2, id('my'), id('card'), id('my'), id('card'), 3]);
    const last = encoderOf(tokenizerOf(json), { ...form, texts: 1, truncate: 'start' });
    expect([...last(['my card my card lost']).ids].slice(1, 5)).toEqual(['card', 'my', 'card', 'lost'].map(id));
    expect(last(['my card my card lost']).tokens).toBe(7);
  });

  it('cuts the longer text of a pair first', () => {
    const encode = encoderOf(tokenizerOf(json), { ...form, length: 7, texts: 2 });
    const { ids, types } = encode(['my', 'card card card card']);
    expect([...ids]).toEqual([2, id('my'), 3, id('card'), id('card'), id('card'), 3]);
    expect([...types]).toEqual([0, 0, 0, 1, 1, 1, 1]);
    // Where both are long, each has its half, and the longer one what is left over.
    const kinds = (a: string, b: string, length: number): number[] =>
      [0, 1].map((type) => encoderOf(tokenizerOf(json), { ...form, length, texts: 2 })([a, b]).types.filter((one) => one === type).length); // prettier-ignore
    expect(kinds('my my my', 'go go go go', 9)).toEqual([2 + 3, 1 + 3]);
    expect(kinds('my my my', 'go go go go', 8)).toEqual([2 + 2, 1 + 3]);
    expect(kinds('my my my my', 'go go go', 8)).toEqual([2 + 3, 1 + 2]);
    expect(kinds('my my my', 'go go go go', 7)).toEqual([2 + 2, 1 + 2]);
  });

  it('refuses a length without room', () => {
    expect(() => encoderOf(tokenizerOf(json), { ...form, length: 3, texts: 2 })).toThrow(/leaves no room/);
  });
});
