import { readFileSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { argMax } from '../../src/base/numbers.ts';
import { sampleId } from '../../src/data/dataset.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeMediaPipeFolder } from '../../src/consumers/mediapipe/folder.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { writeQuestions } from '../support/questions.ts';
import { runPython } from './python.ts';
import { inTasks } from './tasks.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const FILES = ['model.tflite', 'model-int8.tflite', 'model-fp16.tflite'] as const;

/** The tokenizer of whole words of the same questions, whose padding is not 0. */
function wholeWords(): object {
  const text = readFileSync(at('train.csv'), 'utf8');
  const words = new Set(text.match(/(?<=")[^"]+(?=")/g)!.flatMap((line) => line.split(/\s+/)));
  const tokens = ['<unk>', '<s>', '<pad>', ...words];
  const special = ['<unk>', '<s>', '<pad>'].map((content, id) => ({ id, content, special: true, normalized: false }));
  const template = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    added_tokens: special,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: { type: 'TemplateProcessing', single: template, pair: [], special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } } },
    model: { type: 'WordLevel', unk_token: '<unk>', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) },
  }; // prettier-ignore
}

/** The tokenizer of pieces with padding at another id than 0, which MediaPipe cannot be told. */
function paddedElsewhere(json: { added_tokens: object[]; model: { vocab: Record<string, number> } }): object {
  const { vocab } = json.model;
  const id = Object.keys(vocab).length;
  const rest = Object.entries(vocab).filter(([token]) => token !== '[PAD]');
  return {
    ...json,
    added_tokens: [...json.added_tokens.slice(1), { id, content: '[PAD]', special: true, normalized: false }],
    model: { ...json.model, vocab: { ...Object.fromEntries(rest), '[unused]': 0 } },
  };
}

const CASES = {
  pieces: { tokenizer: 'tokenizer.json', student: { model: 'text-transformer', size: 16 } },
  padded: { tokenizer: 'padded.json', student: { model: 'text-cnn', size: 16, filters: 16, depth: 1 } },
  words: { tokenizer: 'words.json', student: { model: 'embedding-bag', size: 16 } },
} as const;

beforeEach(async () => {
  const { tokenizer } = await writeQuestions(folder());
  await writeFile(at('words.json'), JSON.stringify(wholeWords()));
  await writeFile(at('padded.json'), JSON.stringify(paddedElsewhere(JSON.parse(readFileSync(tokenizer, 'utf8')) as never))); // prettier-ignore
});

it.each(Object.keys(CASES) as (keyof typeof CASES)[])('TextClassifier of MediaPipe gives texts the classes that evaluate gives: %s', async (name) => {
  const { tokenizer, student } = CASES[name];
  const recipe = makeRecipe({
    ...{ name, student, export: ['onnx', 'tflite'], ...QUICK, quantize: [{ scheme: 'int8', maxDrop: 100 }, { scheme: 'fp16', maxDrop: 100 }] },
    dataset: { type: 'csv', train: 'train.csv', test: 'test.csv', label: 'category', text: { column: 'text', tokenizer, length: 20 } },
    distill: { epochs: 3, batchSize: 32, optimizer: { learningRate: 0.01 } },
  }, folder());
  const { folder: run } = await runRecipe(recipe, { out: folder() });
  const to = at(`${name}-mediapipe`);
  const written = await writeMediaPipeFolder(run, to);
  expect([written.skipped, written.files]).toEqual([[], [...FILES, 'README.md'].sort()]);
  const all: string[] = [];
  const { test } = await loadData(recipe.recipe, {
    onText: (id, _read, texts) => id.startsWith('test/') && (all[Number(id.slice(5))] = texts[0]!),
  });
  const texts = Array.from({ length: test!.count }, (_, row) => all[Number(sampleId(test!, row).slice(5))]!);
  await cp(to, folder(), { recursive: true });
  await writeFile(at('manifest.json'), JSON.stringify({ task: 'classify-text', files: FILES, texts }));
  const inWheel = runPython('mediapipe_tasks.py', folder()) as Record<string, [string, number][]>;
  const inBrowser = await inTasks<[string, number][]>('tasks-text', folder(), FILES, (model) => ['classify', model, texts]);
  for (const [i, file] of ['scratch.tflite', 'scratch-int8.tflite', 'scratch-fp16.tflite'].entries()) {
    const bytes = readFileSync(path.join(run, 'exports', file));
    const precision = (['fp32', 'int8', 'fp16'] as const)[i]!;
    const logits = await logitsOfFile({ file, bytes, format: 'tflite', precision }, test!, { session: {} });
    const width = test!.classNames.length;
    const expected = texts.map((_, row): [string, number] => {
      const own = logits.subarray(row * width, (row + 1) * width);
      const best = argMax(own, 0, width);
      return [test!.classNames[best]!, 1 / own.reduce((sum, value) => sum + Math.exp(value - own[best]!), 0)];
    });
    for (const [place, answers] of Object.entries({ wheel: inWheel, Chromium: inBrowser })) {
      if (answers === undefined) continue;
      const given = answers[FILES[i]!]!;
      const same = given.filter(([label], row) => label === expected[row]![0]).length;
      const largest = given.reduce((most, [, score], row) => Math.max(most, Math.abs(score - expected[row]![1])), 0);
      const kinds = new Set(given.map(([label]) => label)).size;
      console.log(name, FILES[i], place, { same, of: texts.length, largest, kinds, note: written.notes[0] });
      expect([FILES[i], place, same]).toEqual([FILES[i], place, texts.length]);
      expect(largest).toBeLessThan(precision === 'int8' ? 0.05 : 1e-4);
      expect(kinds).toBeGreaterThan(1);
    }
  }
}); // prettier-ignore

it('TextEmbedder of MediaPipe gives texts the vectors that we give them', async () => {
  const recipe = makeRecipe({
    ...{ name: 'vectors', student: { model: 'embedding-bag', size: 16 }, export: ['onnx', 'tflite'], ...QUICK },
    dataset: { type: 'csv', task: 'embedding', dimensions: 12, train: 'train.csv', test: 'test.csv', label: 'category', text: { column: 'text', tokenizer: 'tokenizer.json', length: 20 } },
    distill: { epochs: 2, batchSize: 32, optimizer: { learningRate: 0.01 } },
  }, folder()); // prettier-ignore
  const { folder: run } = await runRecipe(recipe, { out: folder() });
  const written = await writeMediaPipeFolder(run, at('vectors-mediapipe'));
  expect([written.task, written.files]).toEqual(['TextEmbedder', [...FILES, 'README.md'].sort()]);
  const all: string[] = [];
  const { test } = await loadData(recipe.recipe, {
    onText: (id, _read, texts) => id.startsWith('test/') && (all[Number(id.slice(5))] = texts[0]!),
  });
  const texts = Array.from({ length: test!.count }, (_, row) => all[Number(sampleId(test!, row).slice(5))]!);
  await cp(at('vectors-mediapipe'), folder(), { recursive: true });
  const files = ['model.tflite'];
  await writeFile(at('manifest.json'), JSON.stringify({ task: 'embed-text', files, texts }));
  const inWheel = runPython('mediapipe_tasks.py', folder()) as Record<string, number[][]>;
  const inBrowser = await inTasks<number[][]>('tasks-text', folder(), files, (model) => ['embed', model, texts]);
  const bytes = readFileSync(path.join(run, 'exports/scratch.tflite'));
  const expected = await logitsOfFile({ file: 'scratch.tflite', bytes, format: 'tflite', precision: 'fp32' }, test!, { session: {} }); // prettier-ignore
  for (const [place, answers] of Object.entries({ wheel: inWheel, Chromium: inBrowser })) {
    const given = answers?.['model.tflite']!.flat();
    if (given === undefined) continue;
    const largest = given.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
    console.log('vectors', place, { texts: texts.length, largest });
    expect([place, given.length, largest < 1e-5]).toEqual([place, expected.length, true]);
  }
});
