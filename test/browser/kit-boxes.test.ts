import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { ask, serving } from '../serve/server.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { SIDE, writeColouredBoxes } from '../support/coloured-boxes.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [HEIGHT, WIDTH] = [96, 160];

interface Found {
  readonly label: string;
  readonly score: number;
  readonly box: readonly number[];
}

/** Boxes of a picture file with a score of at least 0.3, as the server says them. */
async function boxesOfServer(model: string, file: string): Promise<Found[]> {
  const server = await serving({ 'm.onnx': readFileSync(model) });
  const question = { body: await readFile(file), headers: { 'content-type': 'image/png' } };
  const { json } = await ask(server, '/v1/m', question).finally(() => server.end());
  const [{ boxes }] = json.predictions as [{ boxes: (Omit<Found, 'box'> & { box: Record<string, number> })[] }];
  return boxes.filter(({ score }) => score >= 0.3).map(({ label, score, box }) => ({ label, score, box: Object.values(box) })); // prettier-ignore
}

/** Boxes in text as samples print them: `red 93.1 % at 1, 2, 3, 4; …`. */
function said(text: string): Found[] {
  return [...text.matchAll(/(\w+) ([\d.]+) %(?: at ([\d, ]+))?/g)].map(([, label, score, box]) => ({
    ...{ label: label!, score: Number(score) / 100 },
    box: (box ?? '').split(', ').map(Number),
  }));
}

(BROWSER === undefined ? it.skip : it)(
  `the samples of a kit find boxes in pictures of any size, in Node and on pages, also in what a camera sees${NO_BROWSER}`,
  async () => {
    await writeColouredBoxes(folder(), 'train', 160);
    const recipe = {
      ...{ name: 'colours', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'coco', task: 'detection', train: { images: 'train', labels: 'train.json' } },
        ...{ maxBoxes: 4, resize: [SIDE, SIDE], validation: 20 },
      },
      student: { model: 'det-nano', alpha: 0.2, filters: 16 },
      distill: { epochs: 20, batchSize: 16, optimizer: { type: 'adamw', learningRate: 0.01, schedule: 'onecycle' } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    const served = await servedKit(run, folder());
    const examples = JSON.parse(await readFile(path.join(served.kit, 'example.json'), 'utf8')) as {
      logits: number[];
    }[];

    // A picture of another size: two training pictures side by side, the second one larger.
    const [small, large] = await Promise.all([sharp(at('train/0.png')).toBuffer(), sharp(at('train/1.png')).resize(96, 96).toBuffer()]); // prettier-ignore
    const picture = at('picture.png');
    await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#888' } })
      .composite([
        { input: small, left: 0, top: 16 },
        { input: large, left: 64, top: 0 },
      ])
      .png()
      .toFile(picture);
    const expected = await boxesOfServer(path.join(run, 'exports/scratch.onnx'), picture);
    expect(expected.length).toBeGreaterThan(0);

    const node = path.join(served.kit, 'samples/node');
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(node, 'node_modules'));
    const asked = (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['detect.mjs', ...args], { cwd: node, encoding: 'utf8' }); // prettier-ignore
      expect([status, stderr]).toEqual([0, '']);
      return stdout.trim().split('\n');
    };
    expect(asked()).toHaveLength(examples.length);
    const raw = await sharp(picture).raw().toBuffer();
    await writeFile(at('samples.json'), JSON.stringify([{ raw: [...raw], height: HEIGHT, width: WIDTH }]));
    const [line] = asked(at('samples.json'));
    const found = said(line!);
    expect(found.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    found.forEach(({ score, box }, i) => {
      expect(Math.abs(score - expected[i]!.score)).toBeLessThan(0.05);
      box.forEach((side, k) => expect(Math.abs(side - expected[i]!.box[k]!)).toBeLessThan(3));
    });
    rmSync(path.join(node, 'node_modules'));

    const browser = await launch();
    try {
      for (const page of ['onnxruntime.html', 'litert.html']) {
        const tab = await (await browser.newContext({ permissions: ['camera'] })).newPage();
        await tab.goto(`${served.address}${page}`);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
        expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
        const results = JSON.parse(String(await tab.evaluate('document.body.dataset.results'))) as {
          answers: number[];
        }[];
        results.forEach(({ answers }, i) => {
          const largest = answers.reduce(
            (most, value, k) => Math.max(most, Math.abs(value - examples[i]!.logits[k]!)),
            0,
          );
          expect(largest).toBeLessThan(1e-3);
        });
        await tab.setInputFiles('input', picture);
        const last = tab.locator('li').nth(examples.length);
        await last.waitFor();
        const there = said((await last.textContent())!);
        expect(there.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
        there.forEach(({ score }, i) => expect(Math.abs(score - expected[i]!.score)).toBeLessThan(0.05));
        const size = await last.locator('canvas').evaluate('(canvas) => [canvas.width, canvas.height]');
        expect(size).toEqual([WIDTH, HEIGHT]);
        await tab.locator('button').click();
        const live = tab.locator('li').nth(examples.length + 1);
        await live.waitFor();
        await tab.locator('button').click();
        expect(await tab.locator('output').textContent()).toBe('');
        if (process.env['LIMBECK_SHOTS'] !== undefined)
          await tab.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], `boxes-${page}.png`), fullPage: true });
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
