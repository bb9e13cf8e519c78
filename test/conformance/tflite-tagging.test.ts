import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { loadData } from '../../src/setup/data.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { tagsAt } from '../../src/answers/tags/entities.ts';
import { QUICK } from '../support/digits.ts';
import { inV8 } from '../support/engines.ts';
import type { Call } from '../support/engines.ts';
import { temporaryFolder } from '../support/folder.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const LENGTH = 24;
const FILES = ['scratch.tflite', 'scratch-int8.tflite'] as const;

const STUDENTS: Readonly<Record<string, object>> = {
  'text-cnn': { size: 8, filters: 16, depth: 2 },
  'text-transformer': { size: 16, depth: 1, heads: 2 },
};

it.each(Object.keys(STUDENTS))(
  'the official interpreter gives words the tags of a %s that we give them, to ids of the kit for phones',
  async (model) => {
    const rows = taggedSentences(120, 'test');
    await writeFile(at('train.jsonl'), asJsonl(taggedSentences(400, 'train')));
    await writeFile(at('test.jsonl'), asJsonl(rows));
    await writeFile(at('pieces.json'), JSON.stringify(wordPieces(['ada', 'rome', 'house', 'stone', 'the'])));
    const recipe = {
      ...{ name: 'tags', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'jsonl', task: 'tagging', train: 'train.jsonl', test: 'test.jsonl', validation: 40, label: 'tags' },
        text: { column: 'tokens', tokenizer: 'pieces.json', length: LENGTH },
      },
      student: { model, ...STUDENTS[model] },
      distill: { epochs: 5, batchSize: 32, optimizer: { learningRate: 0.01 } },
    };
    const made = makeRecipe(recipe, folder());
    const { folder: run } = await runRecipe(made, { out: folder() });
    const kit = at('kit');
    await writeKit(run, kit);
    const read = (name: string): Buffer => readFileSync(path.join(kit, name));

    // Ids as a phone makes them, which are those of the split that the run was tested on.
    const { text } = JSON.parse(String(read('preprocessing.json'))) as { text: object };
    const [, ...encoded] = inV8(String(read('samples/tokenize/tokenizer.js')), [
      ['open', JSON.stringify(text), String(read('models/tokenizer.json'))],
      ...rows.map(({ tokens }): Call => ['encodeWords', JSON.stringify(tokens)]),
    ]) as { ids: number[]; words: number[] }[];
    const { test, classNames } = await loadData(made.recipe);
    const ids = Float32Array.from(encoded.flatMap((one) => one.ids));
    rows.forEach((_, i) => {
      const row = test!.ids.indexOf(i);
      expect([...ids.subarray(i * LENGTH, (i + 1) * LENGTH)]).toEqual([
        ...test!.samples.subarray(row * LENGTH, (row + 1) * LENGTH),
      ]);
    });

    // All rows in ONNX Runtime, in LiteRT of Node, and in the official interpreter.
    const graph = new InferenceModel(
      read('models/scratch.onnx'),
      'scratch.onnx',
      sessionOptions('cpu', { threads: 1 }),
    );
    const [input, output] = [graph.inputs[0]!.name, graph.outputs[0]!.name];
    const results = await graph.run({ [input]: { data: ids, shape: [rows.length, LENGTH] } });
    const float = results[output]!.data as Float32Array;
    graph.dispose();
    await writeFile(at('ids.bin'), bytesOf(ids));
    for (const name of FILES) await writeFile(at(name), read(`models/${name}`));
    await writeFile(
      at('manifest.json'),
      JSON.stringify({ files: FILES, rows: 'ids.bin', shape: [rows.length, LENGTH] }),
    );
    const names = runPython('tflite_rows.py', folder()) as Record<string, [string, string]>;
    expect(names).toEqual(Object.fromEntries(FILES.map((name) => [name, [input, output]])));

    const places = encoded.flatMap(({ words }, i) =>
      words.flatMap((word, token) => (word >= 0 ? [i * LENGTH + token] : [])),
    );
    expect(places.length).toBeGreaterThan(500);
    const tagsOf = (logits: ArrayLike<number>): number[] => tagsAt(logits, places, classNames.length);
    const share = (a: readonly number[], b: readonly number[]): number =>
      a.filter((tag, i) => tag === b[i]).length / a.length;
    const truth = rows.flatMap(({ tags }, i) =>
      encoded[i]!.words.flatMap((word) => (word >= 0 ? [classNames.indexOf(tags[word]!)] : [])),
    );
    for (const name of FILES) {
      const official = new Float32Array(Uint8Array.from(readFileSync(at(`${name}.out`))).buffer);
      const session = await openTflite(read(`models/${name}`));
      const own = new Float32Array(official.length);
      for (let i = 0; i < rows.length; i++) {
        const answer = await session.run({ [input]: ids.slice(i * LENGTH, (i + 1) * LENGTH) });
        own.set(answer[output] as Float32Array, (i * own.length) / rows.length);
      }
      session.dispose();
      const largest = float.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = (a: Float32Array, b: Float32Array): number =>
        a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest;
      const figures = {
        ...{ words: places.length, beside: error(official, own), graph: error(official, float) },
        ...{ same: share(tagsOf(official), tagsOf(own)), graphTags: share(tagsOf(official), tagsOf(float)) },
        right: share(tagsOf(official), truth),
      };
      console.log(model, name, JSON.stringify(figures));
      expect(official.length).toBe(float.length);
      expect(figures.right).toBeGreaterThan(0.9);
      expect([name, figures.same]).toEqual([name, 1]);
      expect([name, figures.beside < 1e-4]).toEqual([name, true]);
      if (name === 'scratch.tflite') expect([name, figures.graph < 1e-4, figures.graphTags]).toEqual([name, true, 1]);
      else expect([name, figures.graph < 0.2, figures.graphTags > 0.98]).toEqual([name, true, true]);
    }
  },
);
