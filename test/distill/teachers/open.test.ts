import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openTeacher } from '../../../src/distill/teachers/open.ts';
import type { TeacherOptions } from '../../../src/distill/teachers/open.ts';
import { completeRecipe } from '../../../src/recipe/load.ts';
import { npyBytes } from '../../../src/data/readers/numpy/npy.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { pictures } from '../../support/dataset.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { pictureTeacher } from '../../support/onnx.ts';
import '../../support/tasks.ts';

const folder = temporaryFolder();
/** Files that were closed. */
let closed = 0;
const { dispose } = InferenceModel.prototype;
beforeEach(async () => {
  closed = 0;
  InferenceModel.prototype.dispose = function (this: InferenceModel) {
    closed++;
    dispose.call(this);
  };
  await writeFile(path.join(folder(), 'three.onnx'), pictureTeacher());
  await writeFile(path.join(folder(), 'two.onnx'), pictureTeacher({ classes: 2 }));
  await writeFile(path.join(folder(), 'long.npy'), npyBytes([3, 5], new Float32Array(15).fill(1)));
});
afterEach(() => {
  InferenceModel.prototype.dispose = dispose;
});

it.each<[string, object, number, RegExp]>([
  [
    'members for other classes',
    { ensemble: [{ onnx: 'three.onnx' }, { onnx: 'two.onnx' }] },
    2,
    /answers for 3 classes/,
  ],
  ['a member that is gone', { ensemble: [{ onnx: 'three.onnx' }, { onnx: 'gone.onnx' }] }, 1, /gone\.onnx/],
  ['an output that it has not', { onnx: 'three.onnx', output: 'other' }, 1, /has no output other/],
  [
    'vectors of another size',
    { onnx: 'three.onnx', classes: 'long.npy' },
    1,
    /embeds a sample in 3 numbers, expected 5/,
  ],
])('the files of a teacher are closed where it is refused: %s', async (_name, teacher, expected, message) => {
  const { recipe } = completeRecipe(
    { name: 'r', dataset: { type: 'csv', train: 'a.csv' }, student: { model: 'mlp' }, teacher },
    folder(),
  );
  const options = {
    ...{ dataset: pictures(20), session: { executionProviders: ['cpu'] }, name: (file: string) => path.basename(file) },
  } as unknown as TeacherOptions;
  await expect(openTeacher(recipe.teacher!, options)).rejects.toThrow(message);
  expect(closed).toBe(expected);
});
