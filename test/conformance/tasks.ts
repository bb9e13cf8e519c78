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
  if (BROWSER === undefined) return undefined;
  const page = '<!doctype html><script type="module" src="./ask.mjs"></script>';
  const places: readonly (readonly [string, string])[] = [
    ['/package/', path.resolve(`.venv/${script}/node_modules/@mediapipe/${script}`)],
    ['/files/', folder],
  ];
  const contentOf = (url: string): Buffer | string => {
    if (url === '/') return page;
    if (url === '/ask.mjs') return readFileSync(path.join(import.meta.dirname, `${script}.mjs`));
    const [prefix, place] = places.find(([start]) => url.startsWith(start)) ?? ['/', path.join(folder, 'none')];
    const file = path.join(place, url.slice(prefix.length));
    return existsSync(file) ? readFileSync(file) : '';
  };
  const server = createServer(({ url = '/' }, response) => {
    response.setHeader('content-type', TYPES[path.extname(url)] ?? 'application/octet-stream');
    response.end(contentOf(url));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // MediaPipe reads pictures by WebGL, which needs no GPU here.
  const args = ['--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--disable-quic'];
  const browser = await chromium.launch({ executablePath: BROWSER, args, timeout: 120_000 });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await tab.waitForFunction("document.title === 'ready'");
    const answers: [string, T][] = [];
    for (const model of models) {
      const [name, ...values] = callOf(model);
      const call = `asked.${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`;
      answers.push([model, await tab.evaluate<T>(call)]);
    }
    return Object.fromEntries(answers);
  } finally {
    await browser.close();
    server.close();
  }
}
