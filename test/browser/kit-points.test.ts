// Needs the feature points.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { browserSample } from '../../src/consumers/browser/page.ts';
import { nodeSample } from '../../src/consumers/node/program.ts';
import { boxColour } from '../../src/report/mask-colours.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { ask, serving } from '../serve/server.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { CHAIN, DOTS, plainPicture, pointer, POINTER_SIDE, writeDots } from '../support/dots.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const NAMES = path.join(ROOT, 'node_modules');

interface Point {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Text of points as the samples say them. */
const said = (points: readonly Point[]): string =>
  points.map(({ name, x, y }) => `${name} ${Math.round(x)}, ${Math.round(y)}`).join('; ');

/** A picture of other proportions than the model's input, in which it is 19 pixels high behind 6 rows of grey. */
const [HEIGHT, WIDTH] = [96, 160];
const COLUMNS_AND_ROWS = [
  [12, 20],
  [32, 40],
  [50, 20],
] as const;
const PLACES = COLUMNS_AND_ROWS.map(([column, row], k) => ({
  name: DOTS[k]!,
  x: ((column + 0.5) / 64) * WIDTH,
  y: ((((row + 0.5) / 64) * POINTER_SIDE - 6) * HEIGHT) / 19,
}));
const BETWEEN = { x: (PLACES[0]!.x + PLACES[1]!.x) / 2, y: (PLACES[0]!.y + PLACES[1]!.y) / 2 };

/** A kit of a model that finds the same points in every picture. */
async function writePointsKit(): Promise<void> {
  const input = { name: 'x', dtype: 'float32', shape: [1, POINTER_SIDE, POINTER_SIDE, 3], from: 0 };
  const raw = Array.from({ length: POINTER_SIDE * POINTER_SIDE * 3 }, (_, i) => i % 256);
  const files = {
    'models/m.onnx': pointer(COLUMNS_AND_ROWS, {}),
    'labels.txt': `${DOTS.join('\n')}\n`,
    'preprocessing.json': JSON.stringify({
      models: [{ file: 'models/m.onnx', format: 'onnx', inputs: [input] }],
      input: { shape: input.shape, layout: 'NHWC', fit: 'letterbox' },
      normalization: { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
      output: { name: 'logits', labels: 'labels.txt', answers: 'logits', skeleton: [[0, 1], [1, 2]] }, // prettier-ignore
    }),
    'example.json': JSON.stringify([{ raw }]),
  };
  const samples = { node: await nodeSample('points', 'numbers', { file: 'picture' }), browser: await browserSample('points', new Set(['onnx']), 'numbers') }; // prettier-ignore
  const all = [
    ...Object.entries(files),
    ...Object.entries(samples).flatMap(([of, own]) => Object.entries(own).map(([name, text]) => [`samples/${of}/${name}`, text] as const)), // prettier-ignore
  ];
  for (const [name, content] of all) {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
  }
  for (const of of Object.keys(samples)) symlinkSync(NAMES, at(`samples/${of}/node_modules`));
  await plainPicture(at('wide.png'), { height: HEIGHT, width: WIDTH });
}

/** Colours at the points, in the middle of the line between the first two, and in a corner. */
const EXPECTED = [...[0, 1, 2, 1].map((k) => [...boxColour(k)]), [120, 120, 120]];
const SPOTS = [...PLACES, BETWEEN, { x: 2, y: 2 }].map(({ x, y }) => [Math.floor(x), Math.floor(y)] as const);

it('the program for Node takes pictures of any size, and draws points in their pixels', async () => {
  await writePointsKit();
  const ask = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['points.mjs', ...args], {
      cwd: at('samples/node'),
      encoding: 'utf8',
    });
    return [status, stdout, stderr];
  };
  expect(ask()).toEqual([0, 'points-1.png\tred 6, 10; green 16, 20; blue 25, 10\n', '']);
  expect(ask(at('wide.png'))).toEqual([0, `points-1.png\t${said(PLACES)}\n`, '']);
  const { data, info } = await sharp(at('samples/node/points-1.png')).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([WIDTH, HEIGHT, 3]);
  expect(SPOTS.map(([x, y]) => [...data.subarray(3 * (y * WIDTH + x))].slice(0, 3))).toEqual(EXPECTED);
});

async function openPage(tab: Page, url: string): Promise<{ answers: number[] }[]> {
  await tab.goto(url);
  await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
  expect([url, await tab.evaluate('document.body.dataset.problem')]).toEqual([url, undefined]);
  return JSON.parse(String(await tab.evaluate('document.body.dataset.results'))) as { answers: number[] }[];
}

(BROWSER === undefined ? it.skip : it)(
  `the page draws points and their skeleton over pictures of any size and over what a camera sees${NO_BROWSER}`,
  async () => {
    await writePointsKit();
    const server = spawn(process.execPath, ['serve.mjs', '0'], { cwd: at('samples/browser') });
    const address = await new Promise<string>((resolve) => server.stdout.once('data', (data: Buffer) => resolve(String(data).trim()))); // prettier-ignore
    const browser = await launch();
    try {
      const tab = await (await browser.newContext({ permissions: ['camera'] })).newPage();
      await openPage(tab, `${address}onnxruntime.html`);
      await tab.setInputFiles('input', at('wide.png'));
      await tab.locator('li').nth(1).waitFor();
      expect(await tab.locator('li').nth(1).textContent()).toBe(said(PLACES));
      const seen = await tab.evaluate(
        `(() => { const canvas = document.querySelectorAll('canvas')[1]; const copy = document.createElement('canvas').getContext('2d'); Object.assign(copy.canvas, { width: canvas.width, height: canvas.height }); copy.drawImage(canvas, 0, 0); return [canvas.width, canvas.height, ...${JSON.stringify(SPOTS)}.map(([x, y]) => [...copy.getImageData(x, y, 1, 1).data.slice(0, 3)])]; })()`,
      );
      expect(seen).toEqual([WIDTH, HEIGHT, ...EXPECTED]);
      await tab.locator('button').click();
      await tab.locator('li').nth(2).waitFor();
      await tab.locator('button').click();
      // Chromium's picture for tests is 640 × 480, in the model's input 24 rows high behind 4 of grey.
      expect(await tab.locator('li').nth(2).textContent()).toMatch(/^red 125, 125; green 325, 325; blue 505, 125$/);
      expect(await tab.locator('output').textContent()).toBe('');
    } finally {
      await browser.close();
      server.kill();
    }
  },
);

/** Points of a picture file by a server, of a file with logits and of the file that decodes them, and the skeletons that their cards state. */
async function askServer(run: string, file: string) {
  const read = (name: string) => readFileSync(path.join(run, 'exports', name));
  const server = await serving({ 'logits.onnx': read('scratch.onnx'), 'decoded.onnx': read('scratch-points.onnx') });
  try {
    const question = { body: await readFile(file), headers: { 'content-type': 'image/png' } };
    const of = async (name: string) => {
      const { json } = await ask(server, `/v1/${name}`, question);
      const card = await ask(server, `/v1/${name}/card`);
      const { skeleton } = card.json['described'] as { readonly skeleton?: unknown };
      return { points: (json['predictions'] as { points: (Point & { score: number })[] }[])[0]!.points, skeleton };
    };
    return [await of('logits'), await of('decoded')] as const;
  } finally {
    await server.end();
  }
}

(BROWSER === undefined ? it.skip : it)(
  `the kit of a run has the files that decode points too, and all of them find the points that a server finds${NO_BROWSER}`,
  async () => {
    await writeDots(folder(), 'train', 60);
    const recipe = {
      ...{ name: 'dots', export: ['onnx', 'tflite'], outputs: 'points', ...QUICK },
      dataset: {
        type: 'points',
        task: 'points',
        train: 'train.csv',
        validation: 20,
        resize: [32, 32],
        skeleton: CHAIN,
      },
      student: { model: 'points-nano' },
      distill: { epochs: 2, batchSize: 10, optimizer: { type: 'adamw', learningRate: 0.004 } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    await plainPicture(at('wide.png'), { height: HEIGHT, width: WIDTH });
    const [logits, decoded] = await askServer(run, at('wide.png'));
    const skeleton = [[0, 1], [1, 2]]; // prettier-ignore
    expect([logits.skeleton, decoded.skeleton]).toEqual([skeleton, skeleton]);
    expect(logits.points.map(({ name }) => name)).toEqual(DOTS);
    logits.points.forEach(({ x, y, score }, k) => {
      const one = decoded.points[k]!;
      expect([one.x, one.y, one.score]).toEqual([x, y, score].map((value) => expect.closeTo(value, 3) as number));
    });

    const served = await servedKit(run, folder());
    const browser = await launch();
    try {
      const kitFile = async (name: string): Promise<unknown> => JSON.parse(await readFile(path.join(served.kit, name), 'utf8')); // prettier-ignore
      const examples = (await kitFile('example.json')) as { logits: number[] }[];
      const { models, output } = (await kitFile('preprocessing.json')) as { models: { file: string; precision: string; output?: string }[]; output: object }; // prettier-ignore
      expect(output).toMatchObject({ name: 'logits', answers: 'logits', labels: 'labels.txt', skeleton });
      expect(models.map(({ file }) => path.basename(file)).sort()).toEqual([
        ...['scratch-int8.onnx', 'scratch-int8.tflite', 'scratch-points.onnx', 'scratch-points.tflite'],
        ...['scratch.onnx', 'scratch.tflite'],
      ]);
      for (const { file } of models.filter(({ precision }) => precision === 'fp32')) {
        const page = file.endsWith('.onnx') ? 'onnxruntime.html' : 'litert.html';
        const tab = await browser.newPage();
        const results = await openPage(tab, `${served.address}${page}?model=${encodeURIComponent(file)}`);
        expect(results).toHaveLength(examples.length);
        results.forEach(({ answers }, i) => {
          if (file.includes('-points')) expect(answers).toHaveLength(3 * DOTS.length);
          else answers.forEach((value, k) => expect(Math.abs(value - examples[i]!.logits[k]!)).toBeLessThan(1e-3));
        });
        await tab.setInputFiles('input', at('wide.png'));
        const last = tab.locator('li').nth(examples.length);
        await last.waitFor();
        expect([file, await last.textContent()]).toEqual([file, said(logits.points)]);
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
