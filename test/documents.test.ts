import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './support/built.ts';

/** Pages of the documents. */
const PAGES = (readdirSync(path.join(ROOT, 'docs'), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.md'))
  .sort();
const OTHERS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'recipes/README.md'];
const BENCH = (readdirSync(path.join(ROOT, 'bench'), { recursive: true }) as string[])
  .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
  .map((name) => `bench/${name}`);

/** Pages that hold a table which the program prints, and a test compares. */
const PRINTED = new Set([
  'keys.md',
  'operators.md',
  'losses.md',
  'training.md',
  'tasks.md',
  'architecture.md',
  'gpu.md',
]);
const MOST_WORDS = 1400;
const MOST_OF_FEATURE = 900;
const MOST_IN_ALL = 45_000;
const MOST_BEFORE_CODE = 150;
const HEADINGS = ['Recipe', 'Data', 'Teacher', 'Learning', 'Export and use', 'Report', 'Limits'];

const textOf = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const withoutCode = (text: string): string => text.replaceAll(/^```[^]*?^```/gm, '');
const withoutTables = (text: string): string => text.replaceAll(/^\|.*$/gm, '');
const count = (text: string): number => text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
const words = (name: string): number => {
  const text = withoutCode(textOf(`docs/${name}`));
  return count(PRINTED.has(name) ? withoutTables(text) : text);
};
const isFeature = (name: string): boolean => /^(answers|samples)\//.test(name);

it.each(PAGES)('docs/%s is short enough to be read, and shows code early', (name) => {
  const before = textOf(`docs/${name}`).split(/^```/m);
  expect(words(name)).toBeLessThanOrEqual(isFeature(name) ? MOST_OF_FEATURE : MOST_WORDS);
  if (before.length > 1)
    expect(count(withoutTables(before[0]!))).toBeLessThanOrEqual(isFeature(name) ? 100 : MOST_BEFORE_CODE);
});

it('the documents are short enough together', () => {
  expect(PAGES.reduce((sum, name) => sum + words(name), 0)).toBeLessThanOrEqual(MOST_IN_ALL);
});

it.each(PAGES.filter(isFeature))('docs/%s has the headings of all such pages', (name) => {
  const found = [...withoutCode(textOf(`docs/${name}`)).matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  expect(found).toEqual(HEADINGS);
});

/** True for the page of a feature that `npm run test:without` has taken out. */
const isTakenOut = (page: string): boolean =>
  /^docs\/answers\//.test(page) && !existsSync(path.join(ROOT, 'src', page.slice('docs/'.length, -'.md'.length)));

/** Anchors of a page, as GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const anchor = heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
  return new Set(anchors);
}

it.each([...PAGES.map((name) => `docs/${name}`), ...OTHERS, ...BENCH])(
  'links of %s lead to files and headings',
  (name) => {
    const links = [...withoutCode(textOf(name)).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const broken = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file, anchor] = link.split('#') as [string, string?];
        const target = file === '' ? name : path.posix.join(path.posix.dirname(name), file);
        if (!existsSync(path.join(ROOT, target))) return !isTakenOut(target);
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(textOf(target)).has(anchor);
      });
    expect(broken).toEqual([]);
  },
);

it('docs/README.md lists every page', () => {
  const text = textOf('docs/README.md');
  const missing = PAGES.filter((name) => name !== 'README.md' && !text.includes(`(${name})`));
  expect(missing).toEqual([]);
});

it('messages, comments and recipes name pages that are there', () => {
  const sources = ['src', 'scripts', 'recipes', 'datasets', 'test'].flatMap((folder) =>
    (readdirSync(path.join(ROOT, folder), { recursive: true }) as string[]).map((name) => `${folder}/${name}`),
  );
  const NOT_OURS = new Set(['docs/KIND/NAME.md', 'docs/Versioning.md']);
  const named = sources
    .filter((name) => /\.(ts|mjs|js|yaml|md|py)$/.test(name))
    .flatMap((name) => [...textOf(name).matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([page]) => `${name}: ${page}`));
  const missing = named.filter((line) => !existsSync(path.join(ROOT, line.split(': ')[1]!)));
  expect(missing.filter((line) => !NOT_OURS.has(line.split(': ')[1]!))).toEqual([]);
});
