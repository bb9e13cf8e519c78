import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { RandomStream } from '../../src/base/random.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { ask, serving } from '../serve/server.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';

const folder = temporaryFolder();
const random = new RandomStream('pictures');

/** Coloured noise that is brighter on one side. */
async function picture(
  file: string,
  [height, width]: readonly [number, number],
  side: 'left' | 'right',
  noise: number,
) {
  const raw = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const x = (Math.floor(i / 3) % width) / width;
    const light = 90 + 60 * (side === 'left' ? 1 - x : x) + [40, 0, -40][i % 3]!;
    return Math.max(0, Math.min(255, light + noise * (random.uniform() - 0.5)));
  });
  await mkdir(path.dirname(file), { recursive: true });
  await sharp(raw, { raw: { height, width, channels: 3 } })
    .png()
    .toFile(file);
}

/** What the server says of a picture, which it reads as a recipe does. */
async function answerOfServer(model: string, file: string): Promise<{ label: string; probability: number }> {
  const server = await serving({ 'student.onnx': await readFile(model) });
  try {
    const question = { body: await readFile(file), headers: { 'content-type': 'image/png' } };
    const { json } = await ask(server, '/v1/student', question);
    return (json.predictions as { label: string; probability: number }[])[0]!;
  } finally {
    await server.end();
  }
}

(BROWSER === undefined ? it.skip : it)(
  `the pages of a kit see in a picture what the recipe would see in it${NO_BROWSER}`,
  async () => {
    for (const side of ['left', 'right'] as const)
      for (let i = 0; i < 40; i++) await picture(path.join(folder(), 'p', side, `${i}.png`), [24, 24], side, 60);
    const recipe = {
      name: 'r',
      dataset: { type: 'image-folder', train: 'p', testFraction: 0.2, resize: [12, 12], channels: 1 },
      student: { model: 'mlp', hidden: [8] },
      distill: { epochs: 20, batchSize: 16, optimizer: { learningRate: 0.01 } },
      ...{ export: ['onnx', 'tflite'], report: { latency: { seconds: 0 } } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    const served = await servedKit(run, folder());
    const large = path.join(folder(), 'large.png');
    await picture(large, [300, 400], 'right', 250);
    const models = await readdir(path.join(served.kit, 'models'));
    const expected = await answerOfServer(
      path.join(
        served.kit,
        'models',
        models.find((name) => name.endsWith('.onnx'))!,
      ),
      large,
    );

    const browser = await launch();
    try {
      for (const page of ['onnxruntime.html', 'litert.html']) {
        const tab = await browser.newPage();
        await tab.goto(`${served.address}${page}`);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
        const count = await tab.locator('li').count();
        await tab.setInputFiles('input', large);
        await tab.waitForFunction(`document.querySelectorAll('li').length === ${count + 1}`);
        const [, said, percent] = /^(\w+) ([\d.]+) %$/.exec((await tab.locator('li').last().textContent())!)!;
        expect(said).toBe(expected.label);
        expect(Math.abs(Number(percent) / 100 - expected.probability)).toBeLessThan(0.01);
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
