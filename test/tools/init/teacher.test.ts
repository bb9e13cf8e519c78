import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { columnBeside, formOfTeacher, seenTeacher } from '../../../src/tools/init/teacher.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

/** A file with these inputs, as of a pipeline of scikit-learn. */
async function taking(...names: readonly string[]): Promise<string> {
  return written(names.map((name) => ({ name, dims: ['n', 1] })));
}

async function written(ends: readonly { name: string; dims: (string | number)[] }[]): Promise<string> {
  const inputs = ends.map((end) => ({ ...end, dtype: 'float32' as const }));
  const graph = { name: 'g', nodes: [], initializers: [], valueInfos: [], inputs, outputs: [] };
  const model = { irVersion: 8, opsets: new Map([['', 13]]), producerName: '', producerVersion: '', graph, metadata: new Map(), functions: [] }; // prettier-ignore
  const file = path.join(folder(), 'p.onnx');
  await writeFile(file, encodeModel(model));
  return file;
}

it('finds the label as the last column that a pipeline does not take', async () => {
  expect(await columnBeside(await taking('bill_length', 'year'), ['id', 'species', 'bill length', 'year'])).toBe(
    'species',
  );
  expect(await columnBeside(await taking('a', 'b'), ['a', 'b'])).toBeUndefined();
});

it('tells nothing of files with other inputs, or with one', async () => {
  const columns = ['a', 'b', 'c'];
  expect(await columnBeside(await taking('a', 'x'), columns)).toBeUndefined();
  expect(await columnBeside(await taking('a'), columns)).toBeUndefined();
  expect(await columnBeside(path.join(folder(), 'none.onnx'), columns)).toBeUndefined();
});

it('takes the steps of a window and the seconds of a sound from a teacher whose input has them', async () => {
  const window = { steps: 64, stride: 32, group: 'who', why: '' };
  const table = { window, columns: ['who', 'time', 'a', 'b', 'c', 'kind'], ignore: ['time'] };
  const steps = async (...dims: (string | number)[]) =>
    (await formOfTeacher(table, ['kind'], await written([{ name: 'x', dims }]))).form.window;
  expect(await steps('n', 100, 3)).toEqual({ ...window, steps: 100, stride: 50 });
  expect(await steps('n', 3, 100)).toEqual({ ...window, steps: 100, stride: 50 });
  expect(await steps('n', 'steps', 3)).toBe(window);
  expect(await steps('n', 100, 6)).toBe(window);
  const seconds = async (...dims: (string | number)[]) =>
    (await formOfTeacher({ rate: 16_000, seconds: 1.2 }, [], await written([{ name: 'x', dims }]))).form.seconds;
  expect(await seconds('n', 15_600)).toBe(0.975);
  expect(await seconds('n', 1, 16_000)).toBe(1);
  expect(await seconds('n', 4000)).toBe(1.2);
  expect(await seconds('n', 98, 40)).toBe(1.2);
});

it('finds the tokenizer of a file in an inner folder', async () => {
  const file = path.join(folder(), 'onnx', 'model_int8.onnx');
  await mkdir(path.dirname(file));
  await Promise.all([writeFile(file, ''), writeFile(path.join(folder(), 'tokenizer.json'), '{}')]);
  expect(await seenTeacher(file, 'a/onnx/model_int8.onnx')).toMatchObject({ tokenizer: 'a/tokenizer.json' });
});
