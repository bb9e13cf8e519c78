import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { columnBeside } from '../../../src/tools/init/teacher.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

/** A file with these inputs, as of a pipeline of scikit-learn. */
async function taking(...names: readonly string[]): Promise<string> {
  const inputs = names.map((name) => ({ name, dtype: 'float32' as const, dims: ['n', 1] }));
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
