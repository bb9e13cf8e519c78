// Needs the features next-token and transformers.
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openCompleter } from '../../src/answers/next-token/completer.ts';
import { fileOfModel } from '../../src/answers/next-token/file.ts';
import { writePipelineFolder } from '../../src/consumers/transformers/folder.ts';
import { readModelFile } from '../../src/files/onnx-file.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inPipelines } from './pipelines.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();
const PHRASES = path.resolve('datasets/wordnet-phrases');
const PROMPTS = ['a person who', 'the act of', 'relating to the study of something that is not', ''];
const TOKENS = 20;

const lines = async (name: string, from: number, to: number): Promise<string> =>
  `${(await readFile(path.join(PHRASES, name), 'utf8')).split('\n').slice(from, to).join('\n')}\n`;

it('a folder for pipelines writes the same twenty tokens in transformers.js and ONNX Runtime GenAI as here', async () => {
  const at = (name: string): string => path.join(folder(), name);
  await writeFile(at('train.jsonl'), await lines('train.jsonl', 0, 600));
  await writeFile(at('test.jsonl'), await lines('test.jsonl', 0, 60));
  await copyFile(path.join(PHRASES, 'tokenizer.json'), at('tokenizer.json'));
  const recipe = {
    name: 'words',
    dataset: {
      type: 'texts',
      task: 'next-token',
      train: 'train.jsonl',
      test: 'test.jsonl',
      text: { tokenizer: 'tokenizer.json', length: 32 },
    },
    student: { model: 'decoder', size: 48, depth: 2, heads: 4, groups: 2 },
    distill: { epochs: 3, batchSize: 8, optimizer: { learningRate: 0.01 } },
    quantize: [{ scheme: 'int8', maxDrop: 60 }],
    export: ['onnx'],
    ...QUICK,
  };
  const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
  const { pipeline, files, skipped } = await writePipelineFolder(run, at('pipeline'));
  expect({ pipeline, files, skipped }).toEqual({
    pipeline: 'text-generation',
    files: [
      'README.md',
      'config.json',
      'genai_config.json',
      'generation_config.json',
      'onnx/model.onnx',
      'onnx/model_q4.onnx',
      'onnx/model_quantized.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ],
    skipped: [],
  });
  const written = async (file: string): Promise<{ texts: string[]; tokens: number[][] }> => {
    const content = await readModelFile(file);
    const completer = await openCompleter(content, file, path.join(run, 'exports'), {});
    const choice = { temperature: 0, topK: 0, topP: 1, seed: 1 };
    const parts = PROMPTS.map((text) => [...completer.complete(text, { ...choice, maxTokens: TOKENS })]);
    completer.dispose();
    return {
      texts: parts.map((all, i) => PROMPTS[i]! + all.map(({ text }) => text).join('')),
      tokens: parts.map((all) => [...all.at(-1)!.tokens]),
    };
  };
  const own = await written(await fileOfModel(`${run}:scratch`, folder(), () => undefined));
  // The file with the cache itself answers as the one that it was made of.
  expect(await written(at('pipeline/onnx/model.onnx'))).toEqual(own);
  const dtypes = { fp32: 'model', q8: 'model_quantized', q4: 'model_q4' };
  const asked = Object.keys(dtypes).map((dtype) => {
    return { pipeline, folder: at('pipeline'), dtype, inputs: PROMPTS, tokens: TOKENS };
  });
  const given = await inPipelines<string>(asked);
  for (const [i, name] of Object.values(dtypes).entries())
    expect(given[i]).toEqual((await written(at(`pipeline/onnx/${name}.onnx`))).texts);
  expect(runPython('genai_check.py', at('pipeline'), JSON.stringify(PROMPTS), String(TOKENS))).toEqual(own.tokens);
}, 300_000);
