import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { BROWSER } from '../support/browser.ts';

const PACKAGE = path.resolve('.venv/tasks-vision/node_modules/@mediapipe/tasks-vision');
const TYPES: Readonly<Record<string, string>> = {
  '': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/**
 * Answers of tasks of @mediapipe/tasks-vision in Chromium, for models and pictures that lie in a folder: by the name of each model what
 * `tasks-vision.mjs` gives. Undefined where there is no Chromium. `run.mjs` installs the package.
 */
export async function inTasksVision<T>(
  task: 'segment' | 'classify' | 'detect',
  folder: string,
  models: readonly string[],
  pictures: { readonly name: string; readonly size: number },
): Promise<Readonly<Record<string, T>> | undefined> {
  if (BROWSER === undefined) return undefined;
  const page = '<!doctype html><script type="module" src="./ask.mjs"></script>';
  const places: readonly (readonly [string, string])[] = [
    ['/package/', PACKAGE],
    ['/files/', folder],
  ];
  const contentOf = (url: string): Buffer | string => {
    if (url === '/') return page;
    if (url === '/ask.mjs') return readFileSync(path.join(import.meta.dirname, 'tasks-vision.mjs'));
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
      const call = `asked.${task}(${JSON.stringify(model)}, ${JSON.stringify(pictures.name)}, ${pictures.size})`;
      answers.push([model, await tab.evaluate<T>(call)]);
    }
    return Object.fromEntries(answers);
  } finally {
    await browser.close();
    server.close();
  }
}
