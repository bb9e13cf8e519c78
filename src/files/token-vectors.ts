import { Slot } from '../base/registry.ts';
import { formatsAsOnnx } from './as-onnx.ts';
import type { TokenVectorsFormat } from './as-onnx.ts';

/** Vectors of tokens. */
export interface TokenVectors {
  /** [tokens, width]; zeros for unknown words and for tokens that stand around a text: a sum of vectors keeps its direction. */
  readonly vectors: Float32Array;
  readonly width: number;
}

/** Reads the vectors of tokens of a folder; `tokenizer`: path of its tokenizer.json. */
export type ReadTokenVectors = (folder: string, tokenizer: string) => Promise<TokenVectors>;

export const readersOfVectors = new Slot<ReadTokenVectors>(formatsAsOnnx, 'readVectors', 'vectors of tokens');

/** The format of a folder with vectors of tokens; undefined for other folders. */
export function formatOfTokens(architecture: string, modules: readonly unknown[]): TokenVectorsFormat | undefined {
  return formatsAsOnnx.all().find(({ ofTokens }) => ofTokens?.isFolder(architecture, modules))?.ofTokens;
}
