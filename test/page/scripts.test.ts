import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pageAsset } from '../../src/page/assets.ts';
import { built, ROOT } from '../support/built.ts';

const SRC = path.join(ROOT, 'src');
const BROWSER = 'page/browser/';

/** What a compiled module loads: types are gone by then. */
function imports(module: string): string[] {
  const text = readFileSync(path.join(built(), 'dist', module), 'utf8');
  return [...text.matchAll(/from\s*["'](\.[^"']*)["']/g)].map(([, to]) =>
    path.posix.join(path.posix.dirname(module), to!),
  );
}

const scripts = readdirSync(path.join(SRC, BROWSER), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => BROWSER + name.split(path.sep).join('/').replace(/\.ts$/, '.js'));

describe('scripts of the page', () => {
  it('load each other and what is shared with them, all of which is served', async () => {
    const compiled = (await import(path.join(built(), 'dist/page/assets.js'))) as { pageAsset: typeof pageAsset };
    const all = new Set(scripts);
    for (const module of all) for (const other of imports(module)) all.add(other);
    expect(all.size).toBeGreaterThan(20);
    for (const module of all) {
      const asset = await compiled.pageAsset(`app/${module}`, 'serve');
      expect([module, asset?.headers['content-type']]).toEqual([module, 'text/javascript; charset=utf-8']);
    }
  });

  it('use no address but relative ones, so that a page behind a proxy works', () => {
    for (const script of scripts) {
      const text = readFileSync(path.join(SRC, script.replace(/\.js$/, '.ts')), 'utf8');
      expect([script, text.match(/['"`](?:https?:\/\/(?!www\.w3\.org\/2000\/svg)|\/v\d)[^'"`]*/g)]).toEqual([
        script,
        null,
      ]);
    }
  });
});

describe('pages', () => {
  it('hold no script and no style, and load nothing from elsewhere', async () => {
    for (const [place, of] of [
      ['', 'serve'],
      ['api', 'serve'],
      ['', 'run'],
    ] as const) {
      const { content, headers } = (await pageAsset(place, of))!;
      const html = String(content);
      expect(html).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=|https?:/);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/);
    }
    expect(await pageAsset('api', 'run')).toBeUndefined();
    expect(await pageAsset('app/constructor', 'serve')).toBeUndefined();
    expect(await pageAsset('constructor', 'serve')).toBeUndefined();
  });
});
