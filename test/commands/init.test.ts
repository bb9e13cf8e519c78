import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { hubFolder } from '../support/hub.ts';
import { inProcess } from '../support/in-process.ts';
import { SIDE, stripedPictures, stripesTeacher } from '../support/stripes.ts';
import { writeTeacher } from '../support/tiny-teacher.ts';
import { writeData } from '../support/tiny.ts';

const folder = temporaryFolder();
const file = (...name: string[]): string => path.join(folder(), ...name);
const init = (...args: string[]) => inProcess(folder(), 'init', ...args);

it('writes what a teacher wants that it has opened and asked', async () => {
  await stripedPictures(file('data', 'train'), 60);
  await writeFile(file('t.onnx'), stripesTeacher(3));
  const made = await init('data', '--teacher', 't.onnx', '--targets', 'ios');
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/^data\/train holds 120 files \.png: type: image-folder/);
  expect(made.stdout).toMatch(/^found: teacher\.channels: 3$/m);
  expect(made.stdout).toMatch(/^teacher t\.onnx: right on 100\.00 % of \d+ validation samples$/m);
  const text = await readFile(file('recipe.yaml'), 'utf8');
  expect(text).toContain(`\nteacher:\n  onnx: t.onnx\n  resize: [${SIDE}, ${SIDE}]\n  channels: 3\n\n`);
  expect(text).toContain('\nexport: [tflite] # for ios\n');
  expect(text).toContain('\noutputs: probabilities #');
  const validated = await inProcess(folder(), 'validate', '--data', 'recipe.yaml');
  expect([validated.code, validated.stderr]).toEqual([0, '']);
});

it('says what is still wrong with a teacher, and writes the recipe', async () => {
  await writeData(folder());
  await writeFile(file('t.onnx'), 'no model');
  const { code, stdout } = await init('data.csv', '--teacher', 't.onnx');
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^still wrong: .*t\.onnx: not an ONNX file/m)]);
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('  onnx: t.onnx\n');
});

it('with --run, does not follow a recipe that is still wrong', async () => {
  await writeData(folder());
  await writeFile(file('t.onnx'), 'no model');
  const { code, stderr } = await init('data.csv', '--teacher', 't.onnx', '--run');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^recipe\.yaml: written, and not followed, as it is still wrong: .*t\.onnx: not an ONNX file/)]); // prettier-ignore
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('  onnx: t.onnx\n');
  expect(await readdir(folder())).not.toContain('checkpoints');
});

it('with --run, follows the recipe to its files at once, and says what it found once', async () => {
  await writeData(folder());
  await writeTeacher(folder());
  const fast = ['--set', 'distill.epochs=1', '--set', 'report.latency.seconds=0'];
  const { code, stdout, stderr } = await init('data.csv', '--teacher', 'teacher', '--run', ...fast);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/distilled\.onnx/);
  expect(stdout.match(/^teacher .*model\.json: right on/gm)).toHaveLength(1);
  expect((await readFile(file('checkpoints', 'recipe', 'exports', 'distilled.onnx'))).length).toBeGreaterThan(0);
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('  tfjs: teacher/model.json\n');
});

it('names data and teachers of the working folder from the folder of the recipe', async () => {
  await writeData(folder());
  await writeTeacher(folder());
  expect(await init('data.csv', '--teacher', 'teacher', '--to', 'recipes/a.yaml')).toMatchObject({ code: 0 });
  const text = await readFile(file('recipes', 'a.yaml'), 'utf8');
  expect(text).toContain('  train: ../data.csv\n');
  expect(text).toContain('  tfjs: ../teacher/model.json\n');
});

it('finds train and test in a folder of tables', async () => {
  await mkdir(file('d'));
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i % 7},${['a', 'b', 'c'][i % 3]!}`);
  for (const name of ['train', 'test']) await writeFile(file('d', `${name}.csv`), ['x,y,kind', ...rows].join('\n'));
  for (const data of ['d', 'd/train.csv']) {
    const { code, stdout } = await init(data, '--force');
    expect([code, stdout]).toEqual([0, expect.stringContaining('test.csv')]);
    expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('  train: d/train.csv\n  test: d/test.csv\n');
  }
});

it('keeps columns of dates that the reader takes, says so, and leaves others out', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `2024-0${1 + (i % 9)}-${10 + (i % 20)},${i % 28}/3/2024,${i % 7},${i % 2}`); // prettier-ignore
  await writeFile(file('dates.csv'), ['signup,paid,x,label', ...rows].join('\n'));
  const { code, stdout } = await init('dates.csv', '--force');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^signup holds dates: models read days since 1970, month, day and weekday, and the hour where there are times$/m); // prettier-ignore
  expect(stdout).toMatch(/^paid holds dates: left out, see `ignore` in the recipe/m);
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('  ignore: [paid] # paid holds dates\n');
  const validated = await inProcess(folder(), 'validate', '--data', 'recipe.yaml');
  expect([validated.code, validated.stderr]).toEqual([0, '']);
});

it.each([
  ['model.pt', /and not model\.pt\nExport it in Python: torch\.onnx\.export/],
  ['model.joblib', /and not model\.joblib\nConvert it to ONNX in Python/],
  [
    'hub',
    /^init: --teacher: .*hub: expected an ONNX file, received model\.safetensors\nExport it: .*optimum-cli export onnx/,
  ],
  ['weights', /and weights has model\.safetensors\nName the folder or the file/],
])('says how %s becomes a teacher', async (name, message) => {
  await writeData(folder());
  await mkdir(file('weights'));
  await mkdir(file('hub'));
  await writeFile(file('hub', 'config.json'), '{"architectures": ["BertForSequenceClassification"]}');
  await writeFile(file('hub', 'model.safetensors'), '');
  for (const one of ['model.pt', 'model.joblib', 'weights/model.safetensors']) await writeFile(file(one), '');
  const { code, stderr } = await init('data.csv', '--teacher', name);
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
});

it('takes texts without labels and an encoder for a student of its vectors', async () => {
  const lines = Array.from({ length: 40 }, (_, i) => JSON.stringify({ text: `the thing with number ${i}` }));
  await writeFile(file('texts.jsonl'), lines.join('\n'));
  const form = { architecture: 'BertModel', inputs: ['input_ids'], outputs: ['sentence_embedding'], tokenizer: 64 };
  await hubFolder(file('encoder'), form);
  const { code, stdout } = await init('texts.jsonl', '--teacher', 'encoder');
  expect([code, stdout]).toEqual([0, expect.stringContaining('no labels, and encoder answers with vectors')]);
  const text = await readFile(file('recipe.yaml'), 'utf8');
  expect(text).toContain('\n  task: embedding\n');
  expect(text).toContain('\n  labelled: 0 #');
  expect(text).toContain('\n  text: { column: text, tokenizer: encoder/tokenizer.json, length: 128 }');
  expect(text).toContain('\nteacher:\n  folder: encoder\n');
});

it('takes the two texts of a pair, whose similarity is the label', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `word ${i},other,${i / 10}`);
  await writeFile(file('sts.csv'), `sentence1,sentence2,score\n${rows.join('\n')}\n`);
  const { code } = await init('sts.csv', '--label', 'score', '--task', 'sentence-similarity');
  const text = await readFile(file('recipe.yaml'), 'utf8');
  expect([code, text]).toEqual([0, expect.stringContaining('\n  task: sentence-similarity\n')]);
  expect(text).toContain('\n  text: { column: [sentence1, sentence2], tokenizer: hashed }');
});

it('takes no column for labels of vectors that nobody named, and says how to go on', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `the ${i}th of many words,another text of ${i} words`);
  await writeFile(file('texts.csv'), `first,second\n${rows.join('\n')}\n`);
  const alone = await init('texts.csv', '--task', 'embedding');
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('their column with --label')]);
  expect(alone.stderr).not.toContain('the last one');
  const form = { architecture: 'BertModel', inputs: ['input_ids'], outputs: ['sentence_embedding'], tokenizer: 64 };
  await hubFolder(file('encoder'), form);
  expect((await init('texts.csv', '--task', 'embedding', '--teacher', 'encoder', '--force')).code).toBe(0);
  const text = await readFile(file('recipe.yaml'), 'utf8');
  expect([text, text]).toEqual([
    expect.stringContaining('\n  labelled: 0 #'),
    expect.not.stringContaining('label: second'),
  ]);
  await writeFile(file('table.csv'), `a,b,kind\n${rows.map((_, i) => `${i},${i % 7},k${i % 3}`).join('\n')}\n`);
  expect((await init('table.csv', '--task', 'embedding', '--force')).code).toBe(1);
  expect((await init('table.csv', '--task', 'embedding', '--label', 'kind', '--force')).code).toBe(0);
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('\n  label: kind\n');
});

it.each(['first,second', 'first,second,score', 'sentence1,sentence2'])(
  'says what pairs need beside %s',
  async (head) => {
    const rows = Array.from({ length: 40 }, (_, i) => `the ${i}th of many words,another text of ${i} words,0.${i}`);
    const cells = rows.map((row) => row.split(',').slice(0, head.split(',').length).join(','));
    await writeFile(file('pairs.csv'), `${head}\n${cells.join('\n')}\n`);
    const { code, stderr } = await init('pairs.csv', '--task', 'sentence-similarity');
    expect([code, stderr]).toEqual([1, expect.stringContaining(`a third that says how alike they are; pairs.csv has ${head.replaceAll(',', ', ')}\n`)]); // prettier-ignore
  },
);

it('takes pictures without folders of classes for a student of vectors, and wants a teacher', async () => {
  await stripedPictures(file('data'), 4);
  const flat = path.join('data', (await readdir(file('data')))[0]!);
  const alone = await init(flat, '--task', 'embedding');
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('has no labels, from which a teacher could')]);
  await writeFile(file('t.onnx'), stripesTeacher(3));
  expect((await init(flat, '--task', 'embedding', '--teacher', 't.onnx')).code).toBe(0);
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('\n  task: embedding\n');
  expect(await readFile(file('recipe.yaml'), 'utf8')).toContain('\n  labelled: 0 #');
});
