import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { RandomStream } from '../../src/base/random.ts';
import { runRecipe } from '../../src/run/run.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const LENGTH = 32;
/** Pages of the documents by what they are about. */
const PAGES = {
  answers: ['answers/boxes', 'answers/mask', 'answers/tags', 'answers/vector', 'answers/labels', 'answers/numbers'],
  losses: ['losses', 'methods', '../bench/losses'],
  scale: ['scale', 'shards', 'clusters', '../bench/scale'],
  serving: ['serving', 'serving-access', 'serving-watch', '../bench/serving'],
  student: ['onnx-student', 'backbone', '../bench/onnx-students'],
  tflite: ['tflite', 'kit', 'mediapipe', '../bench/litert'],
} as const;
const CLASSES = Object.keys(PAGES);

interface Sentence {
  readonly text: string;
  readonly label: string;
}

/** The sentences of some documents of this repository, by which document they are of, in a random order. */
function sentences(): Sentence[] {
  const found = Object.entries(PAGES).flatMap(([label, pages]) =>
    pages
      .map((page) => readFileSync(path.join(ROOT, 'docs', `${page}.md`), 'utf8'))
      .join('\n\n')
      .replace(/```[^]*?```/g, '')
      .split(/\n\s*\n|\n\s*- |\|\n|[.:;]\s/)
      .map((text) => ({ text: text.replace(/\s+/g, ' ').trim(), label }))
      .filter(({ text }) => /[a-z]/.test(text) && text.split(' ').length >= 5),
  );
  return [...new RandomStream('sentences').permutation(found.length)].map((i) => found[i]!);
}

const asLines = (rows: readonly Sentence[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

const STUDENTS: Readonly<Record<string, object>> = {
  'embedding-bag': { size: 32 },
  'text-cnn': { size: 16, filters: 32, kernel: 3 },
  'text-transformer': { size: 32, depth: 1, heads: 2 },
};

const answerOf = (logits: Float32Array, row: number): number => {
  const own = logits.subarray(row * CLASSES.length, (row + 1) * CLASSES.length);
  return own.indexOf(Math.max(...own));
};

const share = (rows: number, is: (row: number) => boolean): number =>
  Array.from({ length: rows }, (_, row) => row).filter(is).length / rows;

it.each(Object.keys(STUDENTS))(
  'the official interpreter answers real texts as ONNX Runtime and LiteRT of Node: %s',
  async (model) => {
    const all = sentences();
    const most = Math.floor(all.length / 4);
    const [test, train] = [all.slice(0, most), all.slice(most)];
    writeFileSync(at('train.jsonl'), asLines(train));
    writeFileSync(at('test.jsonl'), asLines(test));
    const words = train.flatMap(({ text }) => text.toLowerCase().match(/[a-z]+/g) ?? []);
    writeFileSync(at('pieces.json'), JSON.stringify(wordPieces(words)));
    const recipe = {
      ...{ name: 'sentences', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'jsonl', train: 'train.jsonl', test: 'test.jsonl', validation: 100 },
        text: { column: 'text', tokenizer: 'pieces.json', length: LENGTH },
      },
      student: { model, ...STUDENTS[model] },
      distill: { epochs: 12, batchSize: 32, optimizer: { learningRate: 0.01 } },
      quantize: [{ scheme: 'int8', maxDrop: 10 }],
    };
    const made = makeRecipe(recipe, folder());
    const { folder: run } = await runRecipe(made, { out: folder() });
    const { test: split } = await loadData(made.recipe);
    const { samples, count } = split!;
    const ids = Float32Array.from(samples);

    const read = (name: string): Buffer => readFileSync(path.join(run, 'exports', name));
    const graph = new InferenceModel(read('scratch.onnx'), 'scratch.onnx', sessionOptions('cpu', { threads: 1 }));
    const [input, output] = [graph.inputs[0]!.name, graph.outputs[0]!.name];
    const float = (await graph.run({ [input]: { data: ids, shape: [count, LENGTH] } }))[output]!.data as Float32Array;
    graph.dispose();
    const files = ['scratch.tflite', 'scratch-int8.tflite'];
    writeFileSync(at('ids.bin'), bytesOf(ids));
    for (const name of files) writeFileSync(at(name), read(name));
    writeFileSync(at('manifest.json'), JSON.stringify({ files, rows: 'ids.bin', shape: [count, LENGTH] }));
    runPython('tflite_rows.py', folder());

    for (const name of files) {
      const official = new Float32Array(Uint8Array.from(readFileSync(at(`${name}.out`))).buffer);
      const session = await openTflite(read(name));
      const own = new Float32Array(official.length);
      for (let row = 0; row < count; row++) {
        const answer = await session.run({ [input]: ids.slice(row * LENGTH, (row + 1) * LENGTH) });
        own.set(answer[output] as Float32Array, row * CLASSES.length);
      }
      session.dispose();
      const largest = float.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = (other: Float32Array): number =>
        official.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0) / largest;
      // A text of other words than those of training may leave the ranges of integers, which says little of the others.
      const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value ** 2, 0);
      const noise = Math.sqrt(squares(official.map((value, i) => value - float[i]!)) / squares(float));
      const same = (other: Float32Array): number =>
        share(count, (row) => answerOf(official, row) === answerOf(other, row));
      const figures = {
        ...{
          sentences: count,
          beside: error(own),
          graph: error(float),
          noise,
          same: same(own),
          graphSame: same(float),
        },
        right: share(count, (row) => answerOf(official, row) === split!.targets[row]),
      };
      console.log(model, name, JSON.stringify(figures));
      const isFloat = !name.includes('int8');
      expect(official.length).toBe(float.length);
      expect([name, figures.right > 0.5, figures.same]).toEqual([name, true, 1]);
      expect([name, figures.beside < 1e-5]).toEqual([name, true]);
      expect([name, isFloat ? figures.graph < 1e-5 : figures.noise < 0.1]).toEqual([name, true]);
      expect([name, figures.graphSame >= (isFloat ? 1 : 0.97)]).toEqual([name, true]);
    }
  },
);
