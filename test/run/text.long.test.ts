import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { storedEncoder } from '../../src/data/text/open.ts';
import { statedText } from '../../src/files/stated.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { readEntries } from '../../src/formats/tflite/metadata/entries.ts';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { labelShard, mergeLabels } from '../../src/run/shards/label.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inV8 } from '../support/engines.ts';
import type { Call } from '../support/engines.ts';
import { textTeacher } from '../support/text-teacher.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const GOOD = ['good', 'fine', 'great', 'nice'];
const BAD = ['bad', 'poor', 'awful', 'lost'];
const OTHER = Array.from({ length: 40 }, (_, i) => `w${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}`);

/** Words of which two are good or bad, and whether they are. */
function table(count: number, key: string): string {
  const random = new RandomStream('texts', key);
  const pick = (from: readonly string[]): string => from[random.below(from.length)]!;
  const rows = Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: 1 + random.below(20) }, () => pick(OTHER));
    const isGood = i % 2 === 0;
    words.splice(random.below(words.length), 0, pick(isGood ? GOOD : BAD), pick(isGood ? GOOD : BAD));
    return `"${words.join(' ')}!",${isGood ? 'yes' : 'no'}`;
  });
  return `text,label\n${rows.join('\n')}\n`;
}

/** The teacher has words for what the student reads in pieces, and ids of its own for all. */
const teachers = wordPieces(['zz', ...BAD, ...GOOD, ...OTHER]);
const students = wordPieces([...OTHER, ...GOOD, ...BAD.map((word) => word.slice(0, 2))]);
const vocab = teachers.model.vocab as Record<string, number>;
const words = Object.fromEntries(Object.entries(vocab).map(([word, id]) => [id, word]));
const score = (id: number): readonly [number, number] =>
  GOOD.includes(words[id]!) ? [0, 9] : BAD.includes(words[id]!) ? [9, 0] : [0, 0];

async function files(): Promise<void> {
  const at = (name: string): string => path.join(folder(), name);
  await writeFile(at('train.csv'), table(600, 'train'));
  await writeFile(at('test.csv'), table(120, 'test'));
  await writeFile(at('student.json'), JSON.stringify(students));
  await writeFile(at('teacher.json'), JSON.stringify(teachers));
  await writeFile(at('teacher.onnx'), textTeacher(Object.keys(vocab).length, score));
}

const recipe = (change: object = {}) => ({
  name: 'texts',
  dataset: {
    type: 'csv',
    train: 'train.csv',
    test: 'test.csv',
    validation: 100,
    text: { column: 'text', tokenizer: 'student.json', length: 48 },
  },
  teacher: { onnx: 'teacher.onnx', text: { tokenizer: 'teacher.json', length: 40 } },
  student: { model: 'embedding-bag', size: 16 },
  distill: { epochs: 6, batchSize: 32, optimizer: { learningRate: 0.02 } },
  ...QUICK,
  ...change,
});

it('goes from raw texts and a teacher with its own tokenizer to files and a kit that tokenize alike', async () => {
  await files();
  const made = makeRecipe(recipe({ export: ['onnx', 'tflite'], quantize: [{ samples: 64, maxDrop: 100 }] }), folder());
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  const score = Object.fromEntries(report.models.map(({ id, score: of }) => [id, of.test]));
  // The teacher hears of its own words alone: with the student's ids it would know nothing.
  expect(score['teacher']).toBe(1);
  for (const id of ['distilled', 'distilled-tflite', 'distilled-int8', 'distilled-int8-tflite'])
    expect([id, score[id]! > 0.9]).toEqual([id, true]);

  // Each file says how texts become its input.
  const exported = (name: string): string => path.join(run, 'exports', name);
  const onnx = readFileSync(exported('distilled-int8.onnx'));
  const tflite = readFileSync(exported('distilled-int8.tflite'));
  const form = statedText(decodeModel(onnx, 'x').metadata)!;
  expect(form).toMatchObject({ tokenizer: 'tokenizer.json', length: 48, padding: 0, texts: 1 });
  expect(statedText(readEntries(readTflite(tflite), tflite))).toEqual(form);
  await storedEncoder(form, path.dirname(exported('x')));
  const evaluated = await evaluateFile(exported('distilled.onnx'), made, 'test');
  expect(evaluated.accuracy).toBeCloseTo(score['distilled']!, 6);
  expect((await evaluateFile(path.join(folder(), 'teacher.onnx'), made, 'test')).accuracy).toBe(1);
  const { dataset } = recipe();
  const other = makeRecipe(
    recipe({ dataset: { ...dataset, text: { ...dataset.text, tokenizer: 'teacher.json' } } }),
    folder(),
  );
  await expect(evaluateFile(exported('distilled.onnx'), other, 'test')).rejects.toThrow(
    /distilled\.onnx: was made for the tokenizer\.json of hash/,
  );

  const kit = path.join(folder(), 'kit');
  const { files: packed, skipped } = await writeKit(run, kit);
  expect(packed).toEqual(
    expect.arrayContaining(['samples/android/TextClassifier.kt', 'samples/ios/TextClassifier.swift']),
  );
  expect(skipped.map(({ what }) => what)).toEqual(['samples/react-native']);
  expectKitIds(kit, 2);
  await symlink(path.join(ROOT, 'node_modules'), path.join(kit, 'samples/node/node_modules'));
  const start = () =>
    spawnSync(process.execPath, ['classify.mjs'], { cwd: path.join(kit, 'samples/node'), encoding: 'utf8' });
  const { stdout, stderr } = start();
  expect(stderr).toBe('');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]),
  ).toEqual(['no', 'yes']);
  expect(readFileSync(path.join(kit, 'MODEL_CARD.md'), 'utf8')).toContain(`SHA-256 ${form.sha256!}`);
  // Another tokenizer gives other ids, which the sample says.
  await copyFile(path.join(folder(), 'teacher.json'), path.join(kit, 'models/tokenizer.json'));
  expect(start().stderr).toContain('not the token ids');
});

it('labels texts beforehand as the run asks about them: by the tokenizer of the teacher', async () => {
  await files();
  const made = makeRecipe(recipe({ baseline: false, distill: { epochs: 1, batchSize: 32 } }), folder());
  await labelShard(made, { index: 0, count: 1 }, { out: folder() });
  await mergeLabels(made, { out: folder() });
  const asked: (string | undefined)[] = [];
  const onEvent = (event: { type: string; title?: string }): void => void asked.push(event.title);
  await runRecipe(made, { out: folder(), onEvent });
  expect(asked.filter((title) => title?.startsWith('asking the teacher'))).toEqual([]);
});

it('refuses a tokenizer of another vocabulary than the teacher has, and a length that it does not take', async () => {
  await files();
  const run = (change: object) => runRecipe(makeRecipe(recipe(change), folder()), { out: folder() });
  const small = { onnx: 'teacher.onnx', text: { tokenizer: 'many.json' } };
  await writeFile(
    path.join(folder(), 'many.json'),
    JSON.stringify(wordPieces([...OTHER, ...GOOD, ...BAD, 'one', 'more', 'word'])),
  );
  await expect(run({ teacher: small })).rejects.toThrow(
    /teacher\.onnx: its vocabulary has 105 ids, received ids of a tokenizer of 107/,
  );
  await mkdir(path.join(folder(), 'other'), { recursive: true });
  await writeFile(path.join(folder(), 'teacher.onnx'), textTeacher(1000, score));
  await expect(run({ teacher: { onnx: 'teacher.onnx', text: { tokenizer: 'teacher.json' } } })).rejects.toThrow(
    /its vocabulary has 1000 ids/,
  );
});

it('asks a live teacher about its own tokens too, for pairs and several labels', async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const [a, b] = [i % 2 === 0 ? GOOD : OTHER, i % 3 === 0 ? BAD : OTHER];
    return JSON.stringify({
      a: a[i % 4],
      b: b[(i * 7) % 4],
      label: [...(i % 3 === 0 ? ['bad'] : []), ...(i % 2 === 0 ? ['good'] : [])],
    });
  });
  await files();
  await writeFile(path.join(folder(), 'x.jsonl'), rows.join('\n'));
  const dataset = {
    ...{ type: 'jsonl', task: 'multi-label', train: 'x.jsonl', testFraction: 0.2 },
    text: { column: ['a', 'b'], tokenizer: 'hashed', buckets: 512, length: 8 },
  };
  const distill = { epochs: 12, batchSize: 32, optimizer: { learningRate: 0.05 }, softTargets: { store: 'live' } };
  const { report, folder: run } = await runRecipe(makeRecipe(recipe({ dataset, distill }), folder()), {
    out: folder(),
  });
  const scores = Object.fromEntries(report.models.map(({ id, score }) => [id, score.test]));
  expect(scores['distilled']).toBeGreaterThan(0.9);
  const kit = path.join(folder(), 'kit');
  const { files: packed, skipped } = await writeKit(run, kit);
  expect(packed).toEqual(expect.arrayContaining(['samples/android/TextPredictor.kt', 'samples/browser/litert.html']));
  expect(skipped.map(({ what }) => what)).toEqual(['samples/react-native']);
  expectKitIds(kit, 5);
});

/** The one script of a kit, given the files of the kit as a phone reads them, makes the ids of its examples. */
function expectKitIds(kit: string, count: number): void {
  const read = (name: string): string => readFileSync(path.join(kit, name), 'utf8');
  const { text } = JSON.parse(read('preprocessing.json')) as { text: { file?: string } };
  const examples = JSON.parse(read('example.json')) as { text: string | string[]; ids: number[] }[];
  const [opened, ...answers] = inV8(read('samples/tokenize/tokenizer.js'), [
    ['open', JSON.stringify(text), text.file === undefined ? 'null' : read(text.file)],
    ...examples.map(({ text: one }): Call => ['encode', JSON.stringify([one].flat())]),
  ]);
  expect(opened).toEqual({});
  expect(answers).toHaveLength(count);
  expect(answers).toEqual(examples.map(({ ids }) => expect.objectContaining({ ids }) as unknown));
}
