import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkStudentAnswers } from '../../../../src/run/stages/check/student-answers.ts';
import { pictures } from '../../../support/dataset.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { pictureTeacher } from '../../../support/onnx.ts';
import type { PictureTeacher } from '../../../support/onnx.ts';
import '../../../support/tasks.ts';

const folder = temporaryFolder();

const RAW = { scale: 1, mean: [0, 0], std: [1, 1] };

/** Checks a student from a file, which wants pixels from 0 to 1, on raw pixels; returns its warnings. */
async function check(
  options: PictureTeacher,
  {
    normalization = RAW,
    normalize,
    ...student
  }: { normalization?: typeof RAW; normalize?: object; head?: string } = {},
): Promise<string[]> {
  const onnx = path.join(folder(), 'student.onnx');
  await writeFile(onnx, pictureTeacher({ layout: 'nchw', ...options }));
  const warnings: string[] = [];
  await checkStudentAnswers({
    recipe: { device: 'cpu', dataset: { normalize }, student: { onnx, head: 'keep', ...student } },
    data: { validation: pictures(200, { normalization }) },
    onEvent: ({ message }: { message: string }) => warnings.push(message),
  } as unknown as Parameters<typeof checkStudentAnswers>[0]);
  return warnings;
}

it('a student that answers already to other numbers than it will be fed is refused, with the normalization that it knows', async () => {
  const fact = /student\.onnx: right on [\d.]+ % of 200 train.* before it is trained, and with normalize: \{mean: 0, std: 1\} it is right on 100\.0 %/;
  await expect(check({})).rejects.toMatchObject({
    message: expect.stringMatching(fact) as unknown,
    changes: [{ path: ['dataset', 'normalize'], value: { mean: 0, std: 1 } }],
  });
  expect(await check({}, { normalize: RAW })).toEqual([expect.stringMatching(fact)]);
}); // prettier-ignore

it('one that is right, that knows nothing, or whose head is drawn anew begins as it is', async () => {
  expect(await check({}, { normalization: { ...RAW, scale: 1 / 255 } })).toEqual([]);
  expect(await check({ weights: 'zero' })).toEqual([]);
  expect(await check({}, { head: 'replace' })).toEqual([]);
});
