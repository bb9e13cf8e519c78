import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/built.ts';

const SCRIPT = '../../scripts/without.mjs';
const { featuresIn, testsOf, withoutFolder } = (await import(SCRIPT)) as {
  featuresIn: (text: string) => Map<string, string>;
  testsOf: (
    of: { kind: string; name: string },
    files: readonly string[],
    read: (file: string) => string,
  ) => readonly string[];
  withoutFolder: (text: string, folder: string) => string;
};

const LIST = `import { a } from './answers/a/index.ts';
import { b } from './answers/b/index.ts';
import { c } from './consumers/c/index.ts';

// Cells of a.
answers(a, { task: () => import('./answers/a/task.ts') });
answers(b, {
  task: () => import('./answers/b/task.ts'),
  c: () => import('./consumers/c/b.ts'),
});
for (const row of [a, b]) add(row);
`;

it('takes imports, rows and cells of a feature out of the list', () => {
  expect(withoutFolder(LIST, 'answers/a')).toBe(`
import { b } from './answers/b/index.ts';
import { c } from './consumers/c/index.ts';
answers(b, {
  task: () => import('./answers/b/task.ts'),
  c: () => import('./consumers/c/b.ts'),
});
for (const row of [ b]) add(row);
`);
  expect(withoutFolder(LIST, 'consumers/c')).toBe(`import { a } from './answers/a/index.ts';
import { b } from './answers/b/index.ts';

// Cells of a.
answers(a, { task: () => import('./answers/a/task.ts') });
answers(b, {
  task: () => import('./answers/b/task.ts'),
});
for (const row of [a, b]) add(row);
`);
});

it('knows the features of the list', () => {
  expect([...featuresIn(LIST)]).toEqual([['a', 'answers'], ['b', 'answers'], ['c', 'consumers']]); // prettier-ignore
  const own = featuresIn(readFileSync(path.join(ROOT, 'src/features.ts'), 'utf8'));
  expect(own.get('boxes')).toBe('answers');
});

it('takes tests out that are its own, import what is gone, or say that they need it', () => {
  const files: Readonly<Record<string, string>> = {
    'test/answers/a/task.test.ts': '',
    'test/support/made.ts': "export type { T } from '../../src/answers/a/task.ts';",
    'test/run/made.test.ts': "const { made } = await import('../support/made.ts');",
    'test/run/recipes.test.ts': "// Needs the features b and a.\nimport path from 'node:path';",
    'test/run/other.test.ts': "import { b } from '../../src/answers/b/task.ts'; // Needs no a",
    'src/run/run.ts': "import { a } from '../answers/a/task.ts';",
  };
  const gone = testsOf({ kind: 'answers', name: 'a' }, Object.keys(files), (file) => files[file]!);
  expect(gone).toEqual(Object.keys(files).slice(0, 4).sort());
});
