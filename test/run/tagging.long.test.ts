import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadDataset } from '../../src/data/load.ts';
import { NO_TAG } from '../../src/answers/tags/labels.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { runRecipe } from '../../src/run/run.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeKit } from '../../src/ship/kit/kit.ts';
import { bordersOf, countsByType } from '../../src/answers/tags/entities.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { ask, serving } from '../serve/server.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { inV8 } from '../support/engines.ts';
import type { Call } from '../support/engines.ts';
import { temporaryFolder } from '../support/folder.ts';
import { asConll, asJsonl, taggedSentences } from '../support/tags.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const recipe = (change: object = {}) => ({
  name: 'tags',
  dataset: {
    ...{ type: 'jsonl', task: 'tagging', train: 'train.jsonl', test: 'test.jsonl', validation: 40, label: 'tags' },
    text: { column: 'tokens', length: 48 },
  },
  teacher: {
    train: {
      model: 'text-transformer',
      size: 16,
      depth: 1,
      heads: 2,
      epochs: 4,
      batchSize: 32,
      optimizer: { learningRate: 0.01 },
    },
  },
  student: { model: 'text-cnn', size: 8, filters: 16, depth: 2 },
  distill: { epochs: 5, batchSize: 32, optimizer: { learningRate: 0.01 } },
  ...QUICK,
  ...change,
});

it('goes from words with tags to files that give each word one', async () => {
  await writeFile(at('train.jsonl'), asJsonl(taggedSentences(400, 'train')));
  await writeFile(at('test.jsonl'), asJsonl(taggedSentences(80, 'test')));
  const made = makeRecipe(recipe({ export: ['onnx', 'tflite'], quantize: [{ samples: 64, maxDrop: 100 }] }), folder());
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  const score = Object.fromEntries(report.models.map(({ id, score: of }) => [id, of.test!]));
  for (const id of ['teacher', 'distilled', 'distilled-tflite', 'distilled-int8', 'distilled-int8-tflite'])
    expect([id, score[id]! > 0.8]).toEqual([id, true]);
  expect(report.score).toMatchObject({ name: 'entity F1', better: 'higher' });
  const { entities } = report.models.find(({ id }) => id === 'distilled')!;
  expect(entities!.rows.map(({ name }) => name)).toEqual(['LOC', 'PER']);
  const file = path.join(run, 'exports/distilled.onnx');
  const model = decodeModel(readFileSync(file), file);
  expect(model.graph.outputs[0]).toMatchObject({ name: 'logits', dims: ['batch', 48, 4] });
  expect(JSON.parse(model.metadata.get('targets')!)).toEqual(['B-LOC', 'B-PER', 'I-PER', 'O'].sort());
  for (const name of ['distilled.onnx', 'distilled-int8.tflite']) {
    const id = name.replace('.onnx', '').replace('.tflite', '-tflite');
    const { score: own } = await evaluateFile(path.join(run, 'exports', name), made, 'test');
    expect([id, own!.value]).toEqual([id, score[id]]);
  }
  const { rows } = report.examples!;
  const [first] = rows;
  expect(first!.marked!.words.length).toBeGreaterThan(1);
  expect(reportHtml(report)).toContain('<section id="entities">');
});

it.each(['dkd', 'dist', 'wttm', 'mutual'])('learns tags by %s, in parts of a batch where it has any', async (loss) => {
  await writeFile(at('train.jsonl'), asJsonl(taggedSentences(400, 'train')));
  await writeFile(at('test.jsonl'), asJsonl(taggedSentences(80, 'test')));
  const { distill, teacher } = recipe();
  const parts = ['dkd', 'wttm'].includes(loss) ? { microBatch: 12 } : {};
  const change = {
    ...(loss === 'mutual' && { teacher: undefined }),
    distill: { ...distill, ...parts, epochs: 10, loss },
  };
  const { report } = await runRecipe(makeRecipe(recipe({ teacher, ...change }), folder()), { out: folder() });
  expect(report.models.find(({ id }) => id === 'distilled')!.score.test).toBeGreaterThan(0.5);
});

it('packs a kit whose program gives words the ids and the tags that `limbeck evaluate` reads and scores', async () => {
  // Sentences that are longer than the model reads, and words without a token.
  const rows = taggedSentences(80, 'kit').map(({ tokens, tags }, i) =>
    i % 4 === 0 ? { tokens: ['Stone', '\u0001', ...tokens], tags: ['B-PER', 'I-PER', ...tags] } : { tokens, tags },
  );
  await writeFile(at('train.jsonl'), asJsonl([...taggedSentences(300, 'train'), ...rows]));
  await writeFile(at('test.jsonl'), asJsonl(rows));
  await writeFile(at('pieces.json'), JSON.stringify(wordPieces(['ada', 'rome', 'house', 'stone', 'the'])));
  const text = { column: 'tokens', tokenizer: 'pieces.json', length: 24 };
  const { dataset } = recipe();
  const made = makeRecipe(recipe({ dataset: { ...dataset, text }, teacher: undefined, export: ['onnx'] }), folder());
  const { folder: run } = await runRecipe(made, { out: folder() });
  const kit = at('kit');
  const { files, skipped } = await writeKit(run, kit);
  expect(skipped).toEqual([
    { what: 'samples/react-native', why: 'tags have no sample for React Native: classes have' },
  ]);
  const models = ['scratch.onnx', 'scratch.tflite', 'scratch-int8.onnx', 'scratch-int8.tflite'];
  expect(files.filter((file) => file.startsWith('models/'))).toEqual(
    [...models, 'tokenizer.json'].map((name) => `models/${name}`).sort(),
  );
  expect(files).toEqual(expect.arrayContaining(['samples/browser/litert.html', 'samples/browser/onnxruntime.html']));
  for (const name of ['android/Tagger.kt', 'android/Tokenizer.kt', 'ios/Tagger.swift', 'ios/Tokenizer.swift'])
    expect(files).toContain(`samples/${name}`);
  // Only what an app imports, directly or not.
  expect(files).toContain('samples/tokenize/words.js');
  expect(files).not.toContain('samples/tokenize/word-sink.js');

  const node = path.join(kit, 'samples/node');
  await symlink(path.join(ROOT, 'node_modules'), path.join(node, 'node_modules'));
  const start = (...args: readonly string[]) =>
    spawnSync(process.execPath, ['tag.mjs', ...args], { cwd: node, encoding: 'utf8' });
  const printed = (...args: readonly string[]): (readonly [word: string, tag?: string])[][] => {
    const { stdout, stderr, status } = start(...args);
    expect([status, stderr]).toEqual([0, '']);
    const lines = (part: string) => part.split('\n').map((line) => line.split('\t') as [string, string?]);
    return stdout.trimEnd().split('\n\n').map(lines);
  };
  const examples = JSON.parse(readFileSync(path.join(kit, 'example.json'), 'utf8')) as {
    readonly words: readonly string[];
    readonly tags: readonly (string | null)[];
  }[];
  expect(examples).toHaveLength(5);
  expect(printed().map((words) => words.map(([word, tag]) => [word, tag ?? null]))).toEqual(
    examples.map(({ words, tags }) => words.map((word, i) => [word, tags[i]])),
  );

  // All sentences of the test split: the program compares the ids.
  const { test, classNames } = await loadData(made.recipe);
  const sent = rows.map(({ tokens }, i) => {
    const row = test!.ids.indexOf(i);
    return { words: tokens, ids: Array.from(test!.samples.subarray(row * 24, (row + 1) * 24)) };
  });
  await writeFile(at('rows.json'), JSON.stringify(sent));
  const read = (name: string): string => readFileSync(path.join(kit, name), 'utf8');
  const { text: said } = JSON.parse(read('preprocessing.json')) as { text: object };
  const [, ...encoded] = inV8(read('samples/tokenize/tokenizer.js'), [
    ['open', JSON.stringify(said), read('models/tokenizer.json')],
    ...sent.map(({ words }): Call => ['encodeWords', JSON.stringify(words)]),
  ]) as { ids: number[] }[];
  expect(encoded.map(({ ids }) => ids)).toEqual(sent.map(({ ids }) => ids));
  const given = printed(at('rows.json'));
  const { entities } = await evaluateFile(path.join(run, 'exports/scratch.onnx'), made, 'test');
  const sentences = given.map((words, i) => {
    expect(words.map(([word]) => word)).toEqual(rows[i]!.tokens);
    const tagged = [...words.keys()].filter((word) => words[word]![1] !== undefined);
    const tags = (of: (word: number) => string): number[] => tagged.map((word) => classNames.indexOf(of(word)));
    return { truth: tags((word) => rows[i]!.tags[word]!), given: tags((word) => words[word]![1]!) };
  });
  const all = sentences.flatMap(({ truth, given: own }) => truth.map((tag, i) => tag === own[i]));
  expect(all.length).toBeLessThan(rows.flatMap(({ tokens }) => tokens).length);
  expect([all.length, all.filter(Boolean).length / all.length]).toEqual([entities!.words, entities!.rightWords]);
  const counts = [...countsByType(sentences, bordersOf(classNames))].map(([name, count]) => ({ name, ...count }));
  expect(entities!.rows).toEqual(counts.map((one) => expect.objectContaining(one) as unknown));

  // A server of the kit's files gives the same tags.
  const server = await serving({}, { models: [path.join(kit, 'models')] });
  const { json } = await ask(server, '/v1/scratch', {
    body: { inputs: rows.slice(0, 60).map(({ tokens }) => tokens) },
  });
  await server.end();
  const served = json['predictions'] as { words: { word: string; label?: string }[] }[];
  expect(served.map(({ words }) => words.map(({ word, label }) => [word, label]))).toEqual(
    given.slice(0, 60).map((words) => words.map(([word, tag]) => [word, tag])),
  );

  // A text is cut into words; another tokenizer gives other ids, which the program says.
  await writeFile(at('texts.json'), JSON.stringify([{ text: 'Ada walks, Rome.' }]));
  expect(printed(at('texts.json'))[0]!.map(([word]) => word)).toEqual(['Ada', 'walks', ',', 'Rome', '.']);
  await writeFile(at('other.json'), JSON.stringify(wordPieces(['old'])));
  await copyFile(at('other.json'), path.join(kit, 'models/tokenizer.json'));
  expect(start().stderr).toContain('not the token ids');
});

it('reads the same sentences from a file of a word on each line', async () => {
  const sentences = taggedSentences(60, 'lines');
  await writeFile(at('a.jsonl'), asJsonl(sentences));
  await writeFile(at('a.conll'), `-DOCSTART- O\n\n${asConll(sentences)}`);
  const tabbed = sentences.map(({ tokens, tags }, i) => `# sentence ${i}\n${tokens.map((token, k) => `${k}\t${token}\t${tags[k]!}\r\n`).join('')}`); // prettier-ignore
  await writeFile(at('a.tsv'), tabbed.join('\r\n'));
  const text = { length: 48 };
  const shared = { task: 'tagging', validation: 10 } as const;
  const [json, conll, tsv] = await Promise.all([
    loadDataset({ ...shared, type: 'jsonl', train: at('a.jsonl'), label: 'tags', text: { ...text, column: 'tokens' } }),
    loadDataset({ ...shared, type: 'conll', train: at('a.conll'), text: { ...text, column: 0 } }),
    loadDataset({ ...shared, type: 'conll', train: at('a.tsv'), text: { ...text, column: 1 } }),
  ]);
  for (const other of [conll, tsv]) {
    expect(other.classNames).toEqual(json.classNames);
    expect(other.train.targets).toEqual(json.train.targets);
    expect(other.train.samples).toEqual(json.train.samples);
  }
  // Bytes with a space between words: each word has its tag at its first byte.
  const { train, classNames } = json;
  const { tokens, tags } = sentences[train.ids[0]!]!;
  const row = train.targets.subarray(0, 48);
  const starts = [...row.keys()].filter((i) => row[i] !== NO_TAG);
  expect(starts.map((i) => String.fromCharCode(train.samples[i]! - 1))).toEqual(tokens.map((token) => token[0]));
  expect(starts.map((i) => classNames[row[i]!])).toEqual(tags);
});

it('says which words lie behind the last token and are not scored', async () => {
  await writeFile(at('b.jsonl'), asJsonl(taggedSentences(60, 'cut')));
  const { warnings, train } = await loadDataset({
    ...{ type: 'jsonl', task: 'tagging', train: at('b.jsonl'), validation: 10, label: 'tags' },
    text: { column: 'tokens', length: 16 },
  });
  expect(warnings.join('\n')).toMatch(/\d+ of \d+ words lie behind the first 16 tokens of their sentence/);
  expect(train.targets.length).toBe(train.count * 16);
});
