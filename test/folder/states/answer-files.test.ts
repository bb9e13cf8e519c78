import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { answerFiles } from '../../../src/folder/states/answer-files.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

/** Answers in which the key of each file is written. */
function opened() {
  const warnings: string[] = [];
  const files = answerFiles<string>(
    folder(),
    (key) => key,
    (message) => warnings.push(message),
    ({ metadata }, key) => metadata['key'] === key,
  );
  const content = (key: string) => ({ tensors: new Map(), metadata: { key } });
  return { files, warnings, content };
}

it('answers come back by their key, and others are not there', async () => {
  const { files, warnings, content } = opened();
  await files.save('a', content('a'));
  expect((await files.load('a'))?.metadata).toEqual({ key: 'a' });
  expect(await files.load('b')).toBeUndefined();
  expect(warnings).toEqual([]);
});

it('a file that is damaged or has other answers counts as none, with a warning', async () => {
  const { files, warnings, content } = opened();
  await files.save('b', content('a'));
  await writeFile(path.join(folder(), 'c.safetensors'), 'nothing');
  expect([await files.load('b'), await files.load('c')]).toEqual([undefined, undefined]);
  expect(warnings).toEqual([
    expect.stringMatching(/b\.safetensors: its content does not match its name; the teacher answers again$/),
    expect.stringMatching(/c\.safetensors: .*; the teacher answers again$/),
  ]);
});
