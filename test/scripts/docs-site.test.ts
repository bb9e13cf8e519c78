import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';

interface Site {
  pagesOf(): readonly string[];
  writeSite(folder: string): { readonly pages: number; readonly broken: readonly string[] };
}

const SCRIPT = path.join(ROOT, 'scripts/docs-site.mjs');
const { pagesOf, writeSite } = (await import(SCRIPT)) as Site;

const folder = temporaryFolder();

it('writes a page for each document, whose links lead somewhere, with a search over them and nothing from elsewhere', async () => {
  const { pages, broken } = writeSite(folder());
  expect(broken).toEqual([]);
  const written = (readdirSync(folder(), { recursive: true }) as string[]).filter((name) => name.endsWith('.html'));
  expect(written).toHaveLength(pages);
  expect(written).toHaveLength(pagesOf().length);
  for (const name of written) {
    const html = readFileSync(path.join(folder(), name), 'utf8');
    expect(html).not.toMatch(/(src|<link[^>]* href)="https?:/);
    const links = [...html.matchAll(/<a href="([^"#:]+)(#[^"]*)?"/g)].map((match) => match[1]!);
    const names = links.map((link) => path.posix.normalize(path.posix.join(path.posix.dirname(name), link)));
    expect(names.filter((link) => link.endsWith('.html') && !written.includes(link))).toEqual([]);
  }
  const { default: index } = (await import(path.join(folder(), 'search.js'))) as { default: Section[] };
  const found = index.filter(({ heading, text }) => `${heading} ${text}`.includes('maxBoxes'));
  expect(found.map(({ address }) => address)).toContain('answers/boxes.html#data');
});

interface Section {
  readonly heading: string;
  readonly text: string;
  readonly address: string;
}
