import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/built.ts';

const SCRIPT = '../../scripts/without.mjs';
const { featuresIn, sourcesOf, testsOf, withoutFiles } = (await import(SCRIPT)) as {
  featuresIn: (text: string) => Map<string, string>;
  sourcesOf: (place: string, files: readonly string[], read: (file: string) => string) => ReadonlySet<string>;
  testsOf: (
    of: { place: string; name: string },
    sources: ReadonlySet<string>,
    files: readonly string[],
    read: (file: string) => string,
  ) => readonly string[];
  withoutFiles: (text: string, isGone: (file: string) => boolean) => string;
};

/** The list without a folder. */
const withoutFolder = (folder: string, list = LIST): string =>
  withoutFiles(list, (file) => file.startsWith(`src/${folder}/`));

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
  expect(withoutFolder('answers/a')).toBe(`
import { b } from './answers/b/index.ts';
import { c } from './consumers/c/index.ts';
answers(b, {
  task: () => import('./answers/b/task.ts'),
  c: () => import('./consumers/c/b.ts'),
});
for (const row of [ b]) add(row);
`);
  expect(withoutFolder('consumers/c')).toBe(`import { a } from './answers/a/index.ts';
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
  expect([...featuresIn(LIST)]).toEqual([
    ...['a', 'b'].map((name) => [name, `answers/${name}`]),
    ['c', 'consumers/c'],
    ...['serve', 'page', 'streams'].map((name) => [name, name]),
  ]);
  const own = featuresIn(readFileSync(path.join(ROOT, 'src/features.ts'), 'utf8'));
  expect(own.get('boxes')).toBe('answers/boxes');
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
  const read = (file: string): string => files[file]!;
  const sources = new Set(['src/answers/a/task.ts']);
  const gone = testsOf({ place: 'answers/a', name: 'a' }, sources, Object.keys(files), read);
  expect(gone).toEqual(Object.keys(files).slice(0, 4).sort());
});

it('takes out cells and commands that import what is gone, their rows, and what the list gave them', () => {
  const files: Readonly<Record<string, string>> = {
    'src/serve/serve.ts': '',
    'src/answers/a/said.ts': "import type { Said } from '../../serve/said.ts';",
    'src/answers/a/task.ts': '',
    'src/commands/serve.ts': "const { serve } = await import('../serve/serve.ts');",
    'src/run/run.ts': "import '../serve/serve.ts';",
  };
  const read = (file: string): string => files[file]!;
  const withSaid = { ...files, 'src/serve/said.ts': '' };
  const gone = sourcesOf('serve', Object.keys(withSaid), (file) => read(file) ?? '');
  expect([...gone].sort()).toEqual(['src/answers/a/said.ts', 'src/commands/serve.ts', 'src/serve/said.ts', 'src/serve/serve.ts']); // prettier-ignore
  const list = `import { a } from './answers/a/index.ts';
import { serveCommand } from './commands/serve.ts';
import { pages } from './serve/page.ts';
import type { Said } from './serve/said.ts';
interface Cells {
  readonly task: Cell<Task>;
  readonly said: Cell<Said>;
}
add(a, { task: () => import('./answers/a/task.ts'), said: () => import('./answers/a/said.ts') });
commands.add(serveCommand);
pages.add({ name: 'page' });
export { serve } from './serve/serve.ts';
`;
  const isGone = (file: string): boolean => gone.has(file) || file.startsWith('src/serve/');
  expect(withoutFiles(list, isGone)).toBe(`import { a } from './answers/a/index.ts';
interface Cells {
  readonly task: Cell<Task>;
}
add(a, { task: () => import('./answers/a/task.ts'), });
`);
});
