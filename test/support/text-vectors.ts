import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LoadedRecipe } from '../../src/recipe/load.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { embed } from '../../src/tools/embed.ts';
import { encoderBytes } from './encoder.ts';
import { wordPieces } from './tokenizer.ts';

const WORDS = ['my', 'card', 'pin', 'lost', 'new'];
/** [PAD], [UNK], [CLS], [SEP], then letters and letters inside of words. */
const FIRST = 56;

/** Writes a model that answers with a vector of 4 numbers to a text of `WORDS`, and texts to read; returns its path. */
export async function writeModel(folder: string): Promise<string> {
  const at = (name: string): string => path.join(folder, name);
  writeFileSync(at('tokenizer.json'), JSON.stringify(wordPieces(WORDS)));
  writeFileSync(at('encoder.onnx'), await encoderBytes(FIRST + WORDS.length, 4));
  writeFileSync(at('train.csv'), 'text\nmy card\nnew pin\nlost\ncard\nnew\npin\n');
  const out = at('out/static.onnx');
  const settings = { size: 4, length: 6, pooling: 'mean' } as const;
  await embed({ encoder: at('encoder.onnx'), tokenizer: at('tokenizer.json'), ...settings, out });
  return out;
}

/** Recipe of the texts and the model of `writeModel`. */
export const recipeOf = (folder: string, dataset: object = {}): LoadedRecipe =>
  makeRecipe(
    {
      name: 'pairs',
      dataset: {
        ...{ type: 'csv', task: 'embedding', train: 'train.csv', labelled: 0, dimensions: 4 },
        ...{ text: { column: 'text', tokenizer: 'tokenizer.json', length: 6 } },
        ...dataset,
      },
      teacher: { onnx: 'out/static.onnx' },
      student: { model: 'embedding-bag', size: 4 },
    },
    folder,
  );

/** Cosine of the vectors that the model gives to two texts, computed from its file alone. */
export function cosineBy(file: string): (first: string, second: string) => Promise<number> {
  const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', {}));
  const vectorOf = async (text: string): Promise<number[]> => {
    const ids = [2, ...text.split(' ').map((word) => FIRST + WORDS.indexOf(word)), 3];
    const data = Float32Array.from({ length: 6 }, (_, i) => ids[i] ?? 0);
    return Array.from((await model.run({ input: { data, shape: [1, 6] } }))['logits']!.data, Number);
  };
  return async (first, second) => {
    const [a, b] = [await vectorOf(first), await vectorOf(second)];
    const product = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    return product / Math.hypot(...a) / Math.hypot(...b);
  };
}
