import { unifiedDiff } from '../../src/base/unified-diff.ts';

const LINES = Array.from({ length: 20 }, (_, i) => `line ${i}`);
const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

it('has three lines around a change, and a part for changes that are far from each other', () => {
  const after = LINES.with(2, 'a').toSpliced(17, 1).toSpliced(18, 0, 'x', 'y');
  // As `diff -u` prints them.
  expect(unifiedDiff(text(LINES), text(after), 'f')).toEqual([
    ...['--- f', '+++ f', '@@ -1,6 +1,6 @@', ' line 0', ' line 1', '-line 2', '+a', ' line 3', ' line 4', ' line 5'],
    ...['@@ -15,6 +15,7 @@', ' line 14', ' line 15', ' line 16', '-line 17', ' line 18', '+x', '+y', ' line 19'],
  ]);
});

it('begins and ends with the lines that are changed there', () => {
  expect(unifiedDiff(text(LINES), text([...LINES.slice(1), 'more']), 'f')).toEqual([
    ...['--- f', '+++ f', '@@ -1,4 +1,3 @@', '-line 0', ' line 1', ' line 2', ' line 3'],
    ...['@@ -18,3 +17,4 @@', ' line 17', ' line 18', ' line 19', '+more'],
  ]);
});

it('is empty for equal texts', () => {
  expect(unifiedDiff('a\n', 'a\n', 'f')).toEqual([]);
});
