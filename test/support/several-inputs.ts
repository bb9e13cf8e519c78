import { zipSync } from 'fflate';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import type { TokenizerJson } from '../../src/data/text/tokenizer/tokenizer-json.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { QUICK } from './digits.ts';
import { npyBytes } from './npy.ts';
import { textTeacher } from './text-teacher.ts';
import { wordPieces } from './tokenizer.ts';
import { LENGTH, model, samples } from './two-ends.ts';

/** Finished runs of students from ONNX files of several inputs. */

export const GOOD: readonly string[] = ['good', 'fine', 'great', 'nice'];
export const BAD: readonly string[] = ['bad', 'poor', 'awful', 'lost'];
const OTHER = ['the', 'card', 'was', 'new', 'my', 'phone', 'is', 'old'];
export const wordsOfPairs: readonly string[] = [...GOOD, ...BAD, ...OTHER];
const TOKENS = 24;
const VOCABULARY_OF_BYTES = 258;

/** Pairs of texts, of which one says something good or bad. */
export function pairs(
  count: number,
  key: string,
): { readonly a: string; readonly b: string; readonly label: string }[] {
  const random = new RandomStream('pairs', key);
  const pick = (from: readonly string[]): string => from[random.below(from.length)]!;
  const text = (): string => Array.from({ length: 1 + random.below(6) }, () => pick(OTHER)).join(' ');
  return Array.from({ length: count }, (_, i) => {
    const [a, b] = [text(), `${text()} ${pick(i % 2 === 0 ? GOOD : BAD)}, ${text()}!`];
    const isFirst = random.below(2) === 0;
    return { a: isFirst ? b : a, b: isFirst ? a : b, label: i % 2 === 0 ? 'yes' : 'no' };
  });
}

export const vocabularyOf = ({ model }: TokenizerJson): number => Object.keys(model.vocab as object).length;

/** A student of ids, mask and types, which the data have in another order than the file; `test` are the rows that it was tested on. */
export async function runOfTexts(folder: string) {
  const asLines = (rows: readonly object[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
  const test = pairs(60, 'test');
  const tokenizer = wordPieces(wordsOfPairs);
  const vocabulary = vocabularyOf(tokenizer);
  const random = new RandomStream('student');
  await writeFile(path.join(folder, 'train.jsonl'), asLines(pairs(400, 'train')));
  await writeFile(path.join(folder, 'test.jsonl'), asLines(test));
  await writeFile(path.join(folder, 'pieces.json'), JSON.stringify(tokenizer));
  const drawn = (): readonly [number, number] => [random.normal() / 10, random.normal() / 10];
  await writeFile(path.join(folder, 'student.onnx'), textTeacher(vocabulary, drawn));
  const inputs = ['attention_mask', 'input_ids', 'token_type_ids'];
  const recipe = makeRecipe(
    {
      ...{ name: 'texts', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'jsonl', train: 'train.jsonl', test: 'test.jsonl', validation: 60 },
        text: { column: ['a', 'b'], tokenizer: 'pieces.json', length: TOKENS, inputs },
      },
      student: { onnx: 'student.onnx' },
      distill: { epochs: 8, batchSize: 32, optimizer: { learningRate: 0.1 } },
    },
    folder,
  );
  const { folder: run, report } = await runRecipe(recipe, { out: folder });
  return { run, report, recipe, test };
}

/** The same of a student whose only input is ids, by their name. */
export async function runOfIds(folder: string) {
  const rows = pairs(400, 'ids').map(({ a, b, label }) => JSON.stringify({ text: `${a} ${b}`, label }));
  await writeFile(path.join(folder, 'train.jsonl'), rows.join('\n'));
  const b = new GraphBuilder();
  const random = new RandomStream('ids');
  const drawn = (...shape: readonly [number, number]): string =>
    b.constant(
      { dtype: 'float32', shape },
      Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
    );
  const ids = b.input('input_ids', { dtype: 'int64', shape: ['batch', TOKENS] });
  const words = b.op('GatherV2', [drawn(VOCABULARY_OF_BYTES, 8), ids], { axis: 0, batchDims: 0 });
  const mean = b.op('Mean', [words], { axes: [1], keepDims: false });
  b.output('scores', b.op('BatchMatMul', [mean, drawn(8, 2)], { transposeA: false, transposeB: false }));
  await writeFile(path.join(folder, 'ids.onnx'), encodeModel(lowerToOnnx(b.build())));
  const recipe = makeRecipe(
    {
      ...{ name: 'ids', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'jsonl', train: 'train.jsonl', testFraction: 0.2, validation: 60 },
        text: { column: 'text', length: TOKENS, inputs: ['input_ids'] },
      },
      student: { onnx: 'ids.onnx' },
      distill: { epochs: 1, batchSize: 32 },
    },
    folder,
  );
  return (await runRecipe(recipe, { out: folder })).folder;
}

/** A student of words and two numbers. */
export async function runOfArrays(folder: string) {
  const test = samples(60);
  const archive = ({ count, ids, numbers, labels }: ReturnType<typeof samples>): Uint8Array =>
    zipSync({
      'ids.npy': npyBytes([count, LENGTH], BigInt64Array.from(ids, BigInt)),
      'numbers.npy': npyBytes([count, 2], numbers),
      'y.npy': npyBytes([count], BigInt64Array.from(labels, BigInt)),
    });
  await writeFile(path.join(folder, 'train.npz'), archive(samples(600)));
  await writeFile(path.join(folder, 'test.npz'), archive(test));
  await writeFile(path.join(folder, 'student.onnx'), model(1));
  const source = (file: string) => ({ file, samples: ['numbers', 'ids'], labels: 'y' });
  const recipe = makeRecipe(
    {
      ...{ name: 'arrays', export: ['onnx', 'tflite'], ...QUICK },
      dataset: { type: 'npz', train: source('train.npz'), test: source('test.npz') },
      student: { onnx: 'student.onnx', output: 'scores' },
      distill: { epochs: 4, batchSize: 32, optimizer: { learningRate: 0.02 } },
    },
    folder,
  );
  const { folder: run, report } = await runRecipe(recipe, { out: folder });
  return { run, report, recipe, test };
}
