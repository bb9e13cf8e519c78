import type { TokenizerJson } from '../../src/data/text/tokenizer/tokenizer-json.ts';

/** A tokenizer.json as BERT's, of the words given and their letters. */
export function wordPieces(words: readonly string[]): TokenizerJson {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => [letter, `##${letter}`]).flat();
  const tokens = [...special, ...new Set([...letters, ...words])];
  return {
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}
