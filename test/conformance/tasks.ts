import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { BROWSER } from '../support/browser.ts';

const TYPES: Readonly<Record<string, string>> = {
  '': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** What lies behind an address of a page; empty where there is nothing. */
type ContentOf = (url: string) => Buffer | string;

/** Content of files by the first parts of their addresses, each a file or a folder. */
export function filesAt(places: Readonly<Record<string, string>>): ContentOf {
  return (url) => {
    const found = Object.entries(places).find(([start]) => url.startsWith(start));
    const file = found && path.join(found[1], url.slice(found[0].length));
    return file !== undefined && existsSync(file) ? readFileSync(file) : '';
  };
}

/** Results of calls of functions of `asked` in a page in Chromium, whose title is `ready` once it can be asked. Undefined where there is no Chromium. */
export async function inPage<T>(
  page: string,
  contentOf: ContentOf,
  calls: readonly (readonly [name: string, ...values: unknown[]])[],
): Promise<T[] | undefined> {
  if (BROWSER === undefined) return undefined;
  const server = createServer(({ url = '/' }, response) => {
    const content = url === '/' ? `<!doctype html>${page}` : contentOf(decodeURI(url));
    response.writeHead(content === '' ? 404 : 200, {
      'content-type': TYPES[path.extname(url)] ?? 'application/octet-stream',
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // MediaPipe reads pictures by WebGL, which needs no GPU here.
  const args = ['--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--disable-quic'];
  const browser = await chromium.launch({ executablePath: BROWSER, args, timeout: 120_000 });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await tab.waitForFunction("document.title === 'ready'");
    const results: T[] = [];
    for (const [name, ...values] of calls)
      results.push(await tab.evaluate<T>(`asked.${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`));
    return results;
  } finally {
    await browser.close();
    server.close();
  }
}

/**
 * Answers of a script beside this file, which asks a package of MediaPipe in Chromium about files of a folder: by the name of each model what the function
 * of `callOf` gives. Undefined where there is no Chromium. `run.mjs` installs the packages.
 */
export async function inTasks<T>(
  script: 'tasks-text' | 'tasks-vision',
  folder: string,
  models: readonly string[],
  callOf: (model: string) => readonly [name: string, ...values: unknown[]],
): Promise<Readonly<Record<string, T>> | undefined> {
  const files = filesAt({
    '/package/': path.resolve(`.venv/${script}/node_modules/@mediapipe/${script}`),
    '/files/': folder,
    '/ask.mjs': path.join(import.meta.dirname, `${script}.mjs`),
  });
  const results = await inPage<T>('<script type="module" src="./ask.mjs"></script>', files, models.map(callOf));
  return results && Object.fromEntries(models.map((model, i) => [model, results[i]!]));
}
