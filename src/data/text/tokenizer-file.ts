/** Name of a tokenizer's file beside a model. */
export const TOKENIZER_FILE = 'tokenizer.json';
