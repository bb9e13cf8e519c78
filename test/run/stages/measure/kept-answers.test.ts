import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { keptAnswers } from '../../../../src/run/stages/measure/kept-answers.ts';

const answers = (): Float32Array => Float32Array.from({ length: 3 * 400_000 }, (_, i) => Math.sin(i));

it('gives small answers as they are, without a file', () => {
  const given = answers();
  expect(keptAnswers(given, 3)()).toBe(given);
});

it('reads large answers from a file, each time anew', () => {
  const given = answers();
  const read = keptAnswers(given, 3, 2 ** 20);
  given.fill(0);
  expect(read()).toEqual(answers());
  expect(read()).not.toBe(read());
});

it('leaves answers in memory for which the disk has no room', () => {
  const { bavail, bsize } = statfsSync(tmpdir());
  const given = Object.defineProperty(answers(), 'byteLength', { value: 2 * bavail * bsize });
  expect(keptAnswers(given, 3)()).toBe(given);
});
