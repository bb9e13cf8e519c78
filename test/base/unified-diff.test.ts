import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { unifiedDiff } from '../../src/base/unified-diff.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i}`);

it.each([
  ['a changed line', lines(20).with(9, 'changed')],
  ['the first and the last line', [...lines(20).slice(1), 'more']],
  ['changes far from each other', lines(20).with(2, 'a').with(17, 'b')],
  ['lines taken out and added', lines(20).toSpliced(4, 3).toSpliced(9, 0, 'x', 'y')],
])('is that of diff -u for %s', (_name, after) => {
  const [a, b] = ['a', 'b'].map((name) => path.join(folder(), name)) as [string, string];
  writeFileSync(a, `${lines(20).join('\n')}\n`);
  writeFileSync(b, `${after.join('\n')}\n`);
  let expected = '';
  try {
    execFileSync('diff', ['-u', '--label', 'f', '--label', 'f', a, b], { encoding: 'utf8' });
  } catch (error) {
    expected = (error as { stdout: string }).stdout;
  }
  const found = unifiedDiff(`${lines(20).join('\n')}\n`, `${after.join('\n')}\n`, 'f');
  expect(`${found.join('\n')}\n`).toBe(expected);
});

it('is empty for equal texts', () => {
  expect(unifiedDiff('a\n', 'a\n', 'f')).toEqual([]);
});
