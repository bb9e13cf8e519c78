import { writeFlatbuffer } from '../flatbuffer/write.ts';
import { metadataSchema } from '../schema/metadata.ts';
import type { Fields } from '../schema/notation.ts';
import type { TfliteModel } from '../types.ts';
import { decodeMetadata, LABELS_ENTRY } from './metadata.ts';

/** Tokenizer of MediaPipe: `bert` cuts words into pieces, `regex` cuts texts where a pattern of RE2 matches. */
export type TextTokenizer = { readonly kind: 'bert' } | { readonly kind: 'regex'; readonly pattern: string };

export interface TextDescription {
  readonly tokenizer: TextTokenizer;
  readonly hasLabels: boolean;
  readonly description: string;
  /** Files that are packed behind the model, by name: the vocabulary, and the labels. */
  readonly files: Readonly<Record<string, string>>;
}

/** Name of the packed vocabulary. */
export const VOCABULARY_FILE = 'vocab.txt';
const VOCABULARY = [{ name: VOCABULARY_FILE, description: 'Tokens.', type: 5 }];

/** The metadata table of a model of texts for MediaPipe. The tokenizer of BERT belongs to all inputs together, a tokenizer by a pattern to the single input. */
export function encodeTextMetadata(
  model: TfliteModel,
  inputs: readonly string[],
  output: string,
  { tokenizer, hasLabels, description }: TextDescription,
): Uint8Array {
  const { kind } = tokenizer;
  const options =
    kind === 'bert'
      ? { type$: 'BertTokenizerOptions', vocabFile: VOCABULARY }
      : { type$: 'RegexTokenizerOptions', delimRegexPattern: tokenizer.pattern, vocabFile: VOCABULARY };
  const input = (name: string): Fields => ({ name, ...(kind === 'regex' && { processUnits: [{ options }] }) });
  return writeFlatbuffer(metadataSchema, {
    ...decodeMetadata(model),
    description,
    subgraphMetadata: [
      {
        inputTensorMetadata: inputs.map(input),
        outputTensorMetadata: [{ name: output, ...(hasLabels && { associatedFiles: [LABELS_ENTRY] }) }],
        ...(kind === 'bert' && { inputProcessUnits: [{ options }] }),
      },
    ],
    minParserVersion: '1.2.0',
  });
}
