import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fingerprint } from '../../../src/data/dataset.ts';
import type { LoadedDataset } from '../../../src/data/load.ts';
import { plainLogits } from '../../../src/distill/preflight/preflight.ts';
import { missingNotes } from '../../../src/distill/teachers/missing-notes.ts';
import { openTeacher } from '../../../src/distill/teachers/open.ts';
import type { TeacherOptions } from '../../../src/distill/teachers/open.ts';
import type { Model, OnnxNode, ValueInfo } from '../../../src/formats/onnx/model.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { loadData } from '../../../src/setup/data.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

/**
 * A pipeline with an input for each column that answers with [age, height, one of '', Oslo and Paris]: an imputer puts 77 for a missing age, a missing
 * height stays NaN, and a word that it does not know is none of the three.
 */
function pipeline(): Model {
  const ml = { domain: 'ai.onnx.ml' };
  const value = (name: string, dtype: 'float32' | 'string', width = 1): ValueInfo => ({
    name,
    dtype,
    dims: ['n', width],
  });
  const nodes: OnnxNode[] = [
    {
      ...{ ...ml, op: 'Imputer', name: 'imputer', inputs: ['age'], outputs: ['imputed'] },
      attrs: new Map([
        ['imputed_value_floats', { type: 'floats', value: [77] }],
        ['replaced_value_float', { type: 'float', value: NaN }],
      ]),
    },
    {
      ...{ ...ml, op: 'OneHotEncoder', name: 'encoder', inputs: ['city'], outputs: ['cities'] },
      attrs: new Map([
        ['cats_strings', { type: 'strings', value: ['', 'Oslo', 'Paris'] }],
        ['zeros', { type: 'int', value: 1 }],
      ]),
    },
    { op: 'Flatten', domain: '', name: 'flat', inputs: ['cities'], outputs: ['city3'], attrs: new Map() },
    {
      ...{ op: 'Concat', domain: '', name: 'all', inputs: ['imputed', 'height', 'city3'], outputs: ['logits'] },
      attrs: new Map([['axis', { type: 'int', value: 1 }]]),
    },
  ];
  const graph = {
    ...{ name: 'g', nodes, initializers: [], valueInfos: [] },
    inputs: [value('age', 'float32'), value('height', 'float32'), value('city', 'string')],
    outputs: [value('logits', 'float32', 5)],
  };
  const opsets = new Map([
    ['', 13],
    ['ai.onnx.ml', 1],
  ]);
  return { irVersion: 8, opsets, producerName: '', producerVersion: '', graph, metadata: new Map(), functions: [] };
}

const HEAD = 'age,height,city,label\n';

async function loaded(missing: string, train: string, more: object = {}): Promise<LoadedDataset> {
  await writeFile(path.join(folder(), 'train.csv'), HEAD + train);
  await writeFile(path.join(folder(), 'test.csv'), `${HEAD}?,170,Rome,a\n30,,,b\n`);
  const dataset = { type: 'csv', train: 'train.csv', test: 'test.csv', label: 'label', categorical: ['city'], missing };
  const written = { name: 'r', dataset: { ...dataset, validation: 5, ...more }, student: { model: 'mlp' } };
  return loadData(makeRecipe(written, folder()).recipe);
}

const rowsOf = (ages: readonly string[]): string =>
  ages.map((age, i) => `${age},${150 + i},${i % 2 === 0 ? 'Oslo' : 'Paris'},${'abcde'[i % 5]!}\n`).join('');
const TRAIN = rowsOf(['10', '', '20', '30', 'NaN', '40', '50', '60', '70', '80', '90', '10', '11', '12', '13']);

async function asked(data: LoadedDataset, model = pipeline()) {
  await writeFile(path.join(folder(), 't.onnx'), encodeModel(model));
  const { teacher } = await openTeacher(
    { onnx: path.join(folder(), 't.onnx'), outputs: 'logits', intermediate: [], layout: 'auto' } as never,
    {
      ...{ dataset: data.validation, session: { executionProviders: ['cpu'] } },
      name: (file: string) => path.basename(file),
    } as unknown as TeacherOptions,
  );
  const answers = async (split: 'train' | 'validation' | 'test') => {
    const all = await plainLogits(teacher, data[split]!, Int32Array.from(data[split]!.ids.keys()));
    return new Map([...data[split]!.ids].map((id, i) => [id, [...all.subarray(5 * i, 5 * i + 5)]]));
  };
  const found = { train: await answers('train'), validation: await answers('validation'), test: await answers('test') };
  await teacher.dispose();
  const splits = [data.train, data.validation, data.test!];
  return { ...found, notes: missingNotes(teacher, splits, false), changed: missingNotes(teacher, splits, true) };
}

it.each(['mean', 'zero'])('an imputer inside a pipeline sees missing values, with missing: %s', async (missing) => {
  const { train, validation, test, notes, changed } = await asked(await loaded(missing, TRAIN));
  const known = new Map([...train, ...validation]);
  expect(known.get(0)).toEqual([10, 150, 0, 1, 0]);
  expect(known.get(1)).toEqual([77, 151, 0, 0, 1]);
  expect(known.get(4)).toEqual([77, 154, 0, 1, 0]);
  // A word that train does not have is no missing one; a missing height, for which the file has no answer, is filled.
  expect(test.get(0)).toEqual([77, 170, 0, 0, 0]);
  expect(test.get(1)).toEqual([30, missing === 'mean' ? 155.5 : 0, 1, 0, 0]);
  expect(notes.message).toBe(
    "teacher t.onnx: gets 4 missing values of age (3), city (1) as NaN or '', as a data frame has them",
  );
  expect(notes.warning).toMatch(
    /^teacher t\.onnx: does not get 1 missing value of height \(1\): its file takes no NaN there, so it answers/,
  );
  expect(changed.message).toBeUndefined();
  expect(changed.warning).toMatch(
    /does not get 5 missing values of age \(3\), height \(1\), city \(1\): dataset\.augment/,
  );
});

it('a missing value is another sample than the number that stands for it, and unlabelled rows keep theirs', async () => {
  const full = await loaded('zero', rowsOf(['0', '1', '0', ...Array.from({ length: 12 }, () => '5')]));
  const gaps = await loaded('zero', rowsOf(['0', '1', '', ...Array.from({ length: 12 }, () => '5')]));
  expect(gaps.train.samples).toEqual(full.train.samples);
  expect(fingerprint(gaps.train)).not.toBe(fingerprint(full.train));
  await writeFile(path.join(folder(), 'more.csv'), `${HEAD}1,2,Oslo,\n,3,Oslo,\n`);
  const more = { unlabelled: 'more.csv' };
  await writeFile(path.join(folder(), 'teacher.onnx'), encodeModel(pipeline()));
  const dataset = { type: 'csv', train: 'train.csv', label: 'label', categorical: ['city'], missing: 'mean', ...more };
  const teacher = { onnx: 'teacher.onnx' };
  const written = { name: 'r', dataset: { ...dataset, validation: 5 }, teacher, student: { model: 'mlp' } };
  const data = await loadData(makeRecipe(written, folder()).recipe);
  const { train } = await asked({ ...data, test: data.validation });
  expect(train.get(16)!.slice(0, 2)).toEqual([77, 3]);
});

it('the missing values of a file without an input for each column are counted', async () => {
  const data = await loaded('mean', TRAIN);
  const splits = [data.train, data.validation, data.test!];
  const notes = missingNotes({ name: 'trees.onnx' }, splits, false);
  expect(notes.message).toBeUndefined();
  expect(notes.warning).toMatch(
    /^teacher trees\.onnx: does not get 5 missing values of age \(3\), height \(1\), city \(1\): its file has no input for each column/,
  );
  const whole = await loaded('mean', rowsOf(Array.from({ length: 15 }, (_, i) => String(i))));
  expect(missingNotes({ name: 'trees.onnx' }, [whole.train, whole.validation], false)).toEqual({});
});
