// Needs the feature next-token.
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';

const folder = temporaryFolder();

it('limbeck complete writes on, names words, and refuses numbers out of range and other files', async () => {
  const at = (name: string): string => path.join(folder(), name);
  copyFileSync('checkpoints/next-words-teacher/teacher.onnx', at('teacher.onnx'));
  copyFileSync('datasets/wordnet-phrases/tokenizer.json', at('tokenizer.json'));
  const ask = (...more: readonly string[]) =>
    inProcess(folder(), 'complete', at('teacher.onnx'), '--text', 'the act of mak', ...more);
  const { stdout } = await ask('--tokens', '5', '--json');
  const answer = JSON.parse(stdout) as {
    written: string;
    tokens: number[];
    words: { word: string }[];
    isCached: boolean;
  };
  expect(answer.tokens.length).toBeGreaterThan(0);
  expect(answer.words.map(({ word }) => word)).toContain('making');
  expect(answer.isCached).toBe(true);
  const shown = await ask('--tokens', '5');
  expect(shown.stdout).toContain(`the act of mak${answer.written}\n\nnext words: `);
  expect((await ask('--temperature', '-1')).stderr).toContain(
    '--temperature: expected a number from 0 to 100, received -1',
  );
  expect((await ask('--tokens', '1.5')).stderr).toContain(
    '--tokens: expected a whole number from 0 to 4096, received 1.5',
  );
});
