import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readEntries } from '../../../src/formats/tflite/metadata/entries.ts';
import { readTflite } from '../../../src/formats/tflite/read.ts';
import { writeKit } from '../../../src/ship/kit/kit.ts';
import { evaluateFile } from '../../../src/tools/evaluate.ts';
import { ROOT } from '../../support/built.ts';
import { inV8 } from '../../support/engines.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { runOfArrays, runOfIds, runOfTexts } from '../../support/several-inputs.ts';
import { LENGTH } from '../../support/two-ends.ts';
import { ask, serving } from '../../serve/server.ts';

const folder = temporaryFolder();
const kit = () => path.join(folder(), 'kit');
const read = (name: string): string => readFileSync(path.join(kit(), name), 'utf8');

interface Said {
  readonly models: {
    file: string;
    format: string;
    inputs: { name: string; dtype: string; shape: number[]; from: number }[];
  }[];
  readonly text?: { readonly parts: readonly string[] };
}

/** Inputs of each file, by format: each format has one list. */
function inputsOf({ models }: Said): Record<string, string[]> {
  const lists = models.map(({ format, inputs }) => ({
    format,
    list: inputs.map(({ name, dtype, shape, from }) => `${name} ${dtype} [${shape.join(', ')}] at ${from}`),
  }));
  const found = Object.fromEntries(lists.map(({ format, list }) => [format, list]));
  for (const { format, list } of lists) expect(list).toEqual(found[format]);
  return found;
}

/** The program for Node, on the examples or on a file. */
async function start(samples?: readonly object[]) {
  const at = path.join(kit(), 'samples/node');
  await symlink(path.join(ROOT, 'node_modules'), path.join(at, 'node_modules')).catch(() => undefined);
  if (samples !== undefined) await writeFile(path.join(folder(), 'samples.json'), JSON.stringify(samples));
  const args = samples === undefined ? [] : [path.join(folder(), 'samples.json')];
  const { status, stdout, stderr } = spawnSync(process.execPath, ['classify.mjs', ...args], {
    cwd: at,
    encoding: 'utf8',
  });
  return {
    status,
    stderr,
    labels: stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]!),
  };
}

it('of a text student of ids, mask and types has samples whose tokenizer gives all three', async () => {
  const { run, report, recipe, test } = await runOfTexts(folder());
  const score = report.models.find(({ id }) => id === 'scratch')!.score.test!;
  expect(score).toBeGreaterThan(0.9);
  const { files, skipped } = await writeKit(run, kit());
  expect(skipped.map(({ what }) => what)).toEqual(['samples/react-native']);
  expect(files).toEqual(
    expect.arrayContaining([
      ...['samples/android/TextClassifier.kt', 'samples/ios/TextClassifier.swift', 'samples/browser/litert.html'],
      ...['scratch.onnx', 'scratch.tflite', 'scratch-int8.onnx', 'scratch-int8.tflite'].map((name) => `models/${name}`),
    ]),
  );
  const said = JSON.parse(read('preprocessing.json')) as Said;
  expect(said.text!.parts).toEqual(['mask', 'ids', 'types']);
  // In the order of the file, each at its place in a row of the data.
  const inputs = (dtype: string) => [
    ...[`input_ids ${dtype} [1, 24] at 24`, `attention_mask ${dtype} [1, 24] at 0`],
    `token_type_ids ${dtype} [1, 24] at 48`,
  ];
  expect(inputsOf(said)).toEqual({ onnx: inputs('int64'), tflite: inputs('int32') });

  expect(await start()).toMatchObject({ status: 0, stderr: '' });
  const { labels } = await start(test.map(({ a, b }) => ({ text: [a, b] })));
  const right = labels.filter((label, i) => label === test[i]!.label).length;
  expect(right / test.length).toBeCloseTo(score, 6);
  expect((await evaluateFile(path.join(kit(), 'models/scratch.tflite'), recipe, 'test')).accuracy).toBeCloseTo(
    score,
    6,
  );

  const server = await serving({}, { models: [path.join(kit(), 'models')] });
  const { json } = await ask(server, '/v1/scratch', { body: { inputs: test.map(({ a, b }) => [a, b]) } });
  await server.end();
  expect((json['predictions'] as { label: string }[]).map(({ label }) => label)).toEqual(labels);

  const examples = JSON.parse(read('example.json')) as {
    text: string[];
    ids: number[];
    mask: number[];
    types: number[];
  }[];
  expect(Object.keys(examples[0]!)).toEqual(['label', 'text', 'mask', 'ids', 'types', 'logits']);
  const [, ...answers] = inV8(read('samples/tokenize/tokenizer.js'), [
    ['open', JSON.stringify(said.text), read('models/tokenizer.json')],
    ...examples.map(({ text }) => ['encode', JSON.stringify(text)] as const),
  ]);
  for (const [i, { ids, mask, types }] of examples.entries()) {
    expect(answers[i]).toMatchObject({ ids, mask, types });
    expect([ids.length, Math.max(...mask), Math.max(...types)]).toEqual([24, 1, 1]);
  }
  // Another mask is said, and another part of the row.
  const other = examples.map((one) => ({ ...one, mask: one.mask.map(() => 1) }));
  expect(await start(other)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('not the token ids') as string,
  });
  const moved = read('preprocessing.json').replace('"from": 24', '"from": 48');
  await writeFile(path.join(kit(), 'preprocessing.json'), moved);
  expect(await start()).toMatchObject({ status: 1, stderr: expect.stringContaining('not the logits') as string });
});

it('of a student whose only input is int64 ids feeds it these', async () => {
  await writeKit(await runOfIds(folder()), kit());
  const ids = (dtype: string) => [`input ${dtype} [1, 24] at 0`];
  expect(inputsOf(JSON.parse(read('preprocessing.json')) as Said)).toEqual({
    onnx: ids('int64'),
    tflite: ids('int32'),
  });
  expect(await start()).toMatchObject({ status: 0, stderr: '' });
});

it('of a student of ids and numbers has samples that take an array for each by its name', async () => {
  const { run, report, test } = await runOfArrays(folder());
  const score = report.models.find(({ id }) => id === 'scratch')!.score.test!;
  expect(score).toBeGreaterThan(0.7);
  const { files, skipped } = await writeKit(run, kit());
  expect(skipped).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['samples/browser/onnxruntime.html', 'samples/android/Classifier.kt']));
  const inputs = (dtype: string) => [`ids ${dtype} [1, 4] at 2`, 'numbers float32 [1, 2] at 0'];
  expect(inputsOf(JSON.parse(read('preprocessing.json')) as Said)).toEqual({
    onnx: inputs('int64'),
    tflite: inputs('int32'),
  });

  expect(await start()).toMatchObject({ status: 0, stderr: '' });
  const rows = Array.from({ length: test.count }, (_, i) => ({
    inputs: {
      ids: test.ids.slice(i * LENGTH, (i + 1) * LENGTH),
      numbers: Array.from(test.numbers.subarray(2 * i, 2 * i + 2)),
    },
  }));
  const { labels } = await start(rows);
  const right = labels.filter((label, i) => Number(label) === test.labels[i]).length;
  expect(right / test.count).toBeCloseTo(score, 6);
  const { ids, numbers } = rows[0]!.inputs;
  for (const [given, message] of [
    [{ ids }, 'input numbers: expected 2 numbers, received none'],
    [{ ids: ids.slice(1), numbers }, 'input ids: expected 4 numbers, received 3'],
    [{ ids: ids.map((id) => id + 0.5), numbers }, 'input ids: expected whole numbers, received'],
  ] as const)
    expect((await start([{ inputs: given }])).stderr).toContain(message);

  // The TFLite file says of each input what it takes.
  const bytes = readFileSync(path.join(kit(), 'models/scratch.tflite'));
  const entries = readEntries(readTflite(bytes), bytes);
  expect(JSON.parse(entries.get('inputs')!)).toEqual([
    { name: 'numbers', shape: [2], from: 0, isWhole: false },
    { name: 'ids', shape: [4], from: 2, isWhole: true },
  ]);
});
