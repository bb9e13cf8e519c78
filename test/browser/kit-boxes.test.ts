import { spawn, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { browserSample } from '../../src/consumers/browser/page.ts';
import { nodeSample } from '../../src/consumers/node/program.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { middleDetector, SIDE } from '../support/coloured-boxes.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [HEIGHT, WIDTH] = [96, 160];
const ANSWERS = [0.25, 0.25, 0.75, 0.75, -3, 2];
/** The picture is 38 pixels high in the input, behind 13 rows of grey. */
const SIDES = [40, ((0.25 * SIDE - 13) * HEIGHT) / 38, 120, ((0.75 * SIDE - 13) * HEIGHT) / 38];

/** A kit of a detector whose only box, a dog of 88.1 %, is half as high and wide as the input, in its middle. */
async function writeBoxesKit(): Promise<void> {
  const input = { name: 'x', dtype: 'float32', shape: [1, SIDE, SIDE, 3], from: 0 };
  const fields = [{ name: 'boxes' }, { name: 'scores' }];
  const files = {
    'models/m.onnx': middleDetector({}),
    'labels.txt': 'cat\ndog\n',
    'preprocessing.json': JSON.stringify({
      models: [{ file: 'models/m.onnx', format: 'onnx', inputs: [input] }],
      input: { shape: input.shape, layout: 'NHWC', fit: 'letterbox' },
      normalization: { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] },
      output: { fields, answers: 'logits', threshold: 0.88 },
    }),
    'example.json': JSON.stringify([
      { raw: Array.from({ length: SIDE * SIDE * 3 }, (_, i) => i % 256), logits: ANSWERS },
    ]),
  };
  const samples = { node: await nodeSample('boxes', 'numbers', { isOneOutput: false }), browser: await browserSample('boxes', new Set(['onnx']), 'numbers') }; // prettier-ignore
  const all = [
    ...Object.entries(files),
    ...Object.entries(samples).flatMap(([of, own]) => Object.entries(own).map(([name, text]) => [`samples/${of}/${name}`, text] as const)), // prettier-ignore
  ];
  for (const [name, content] of all) {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
  }
  for (const of of Object.keys(samples)) symlinkSync(path.join(ROOT, 'node_modules'), at(`samples/${of}/node_modules`));
}

it('the program for Node takes pictures of any size, and gives boxes in their pixels', async () => {
  await writeBoxesKit();
  const ask = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['detect.mjs', ...args], {
      cwd: at('samples/node'),
      encoding: 'utf8',
    });
    return [status, stdout, stderr];
  };
  expect(ask()).toEqual([0, 'dog 88.1 % at 16, 16, 48, 48\n', '']);
  const raw = Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => i % 256);
  await writeFile(at('wide.json'), JSON.stringify([{ raw, height: HEIGHT, width: WIDTH }]));
  expect(ask(at('wide.json'))).toEqual([0, `dog 88.1 % at ${SIDES.map(Math.round).join(', ')}\n`, '']);
  await writeFile(at('short.json'), JSON.stringify([{ raw: raw.slice(1), height: HEIGHT, width: WIDTH }]));
  expect(ask(at('short.json'))[2]).toContain(
    `expected 96 * 160 * 3 pixels from 0 to 255, received ${raw.length - 1} numbers`,
  );
});

(BROWSER === undefined ? it.skip : it)(
  `the page draws boxes over pictures of any size and over what a camera sees${NO_BROWSER}`,
  async () => {
    await writeBoxesKit();
    const picture = at('wide.png');
    await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: { r: 40, g: 60, b: 200 } } })
      .png()
      .toFile(picture);
    const server = spawn(process.execPath, ['serve.mjs', '0'], { cwd: at('samples/browser') });
    const address = await new Promise<string>((resolve) => server.stdout.once('data', (data: Buffer) => resolve(String(data).trim()))); // prettier-ignore
    const browser = await launch();
    try {
      const tab = await (await browser.newContext({ permissions: ['camera'] })).newPage();
      await tab.goto(`${address}onnxruntime.html`);
      await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
      expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
      const [{ answers }] = JSON.parse(String(await tab.evaluate('document.body.dataset.results'))) as [{ answers: number[] }]; // prettier-ignore
      expect(answers).toEqual(ANSWERS);
      await tab.setInputFiles('input', picture);
      const last = tab.locator('li').nth(1);
      await last.waitFor();
      expect(await last.textContent()).toBe('dog 88.1 %');
      const seen = await tab.evaluate(
        "(() => { const canvas = document.querySelectorAll('canvas')[1]; const copy = document.createElement('canvas').getContext('2d'); Object.assign(copy.canvas, { width: canvas.width, height: canvas.height }); copy.drawImage(canvas, 0, 0); const { data } = copy.getImageData(0, 0, canvas.width, canvas.height); const of = (x, y) => [...data.slice(4 * (y * canvas.width + x)).slice(0, 3)]; return [canvas.width, canvas.height, of(80, 48), of(40, 48), of(120, 48)]; })()",
      );
      const [width, height, inside, left, right] = seen as [number, number, number[], number[], number[]];
      expect([width, height, inside]).toEqual([WIDTH, HEIGHT, [40, 60, 200]]);
      for (const side of [left, right]) expect(side[1]!).toBeGreaterThan(150);
      await tab.locator('button').click();
      await tab.locator('li').nth(2).waitFor();
      await tab.locator('button').click();
      expect(await tab.locator('output').textContent()).toBe('');
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await tab.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'kit-boxes.png'), fullPage: true });
    } finally {
      await browser.close();
      server.kill();
    }
  },
);
