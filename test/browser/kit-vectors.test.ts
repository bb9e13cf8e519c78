import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { npyHead } from '../../src/data/readers/numpy/npy.ts';
import { bytesOf } from '../../src/base/bytes.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { writeVectors } from '../../src/answers/vector/tools/vectors.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]): string => path.join(folder(), ...names);

/** Pictures of one colour, which get darker downwards. */
async function picture(file: string, [red, green, blue]: readonly [number, number, number]): Promise<void> {
  const raw = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => {
    const light = 1 - Math.floor(i / 48) / 32;
    return [red, green, blue][i % 3]! * light;
  });
  await mkdir(path.dirname(file), { recursive: true });
  await sharp(raw, { raw: { height: 16, width: 16, channels: 3 } }).png().toFile(file); // prettier-ignore
}

(BROWSER === undefined ? it.skip : it)(
  `the pages of a kit search among the vectors of a file and of a folder of pictures${NO_BROWSER}`,
  async () => {
    const hues = { red: [220, 30, 30], green: [30, 200, 40], blue: [30, 50, 230] } as const;
    for (const [name, hue] of Object.entries(hues))
      for (let i = 0; i < 20; i++)
        await picture(at('p', name, `${10 + i}.png`), hue.map((value) => Math.min(255, value + 2 * i)) as [number, number, number]); // prettier-ignore
    const recipe = makeRecipe(
      {
        name: 'hues',
        dataset: { type: 'image-folder', task: 'embedding', dimensions: 8, train: 'p', test: 'p', resize: [8, 8] },
        student: { model: 'mlp', hidden: [8] },
        distill: { epochs: 15, batchSize: 16, optimizer: { learningRate: 0.01 } },
        ...{ export: ['onnx', 'tflite'], report: { latency: { seconds: 0 } } },
      },
      folder(),
    );
    const { folder: run } = await runRecipe(recipe, { out: folder() });
    // In the order of the folders: blue, green, red.
    await writeVectors(path.join(run, 'exports/scratch.onnx'), recipe, 'test', at('vectors.npy'));
    await writeFile(at('other.npy'), Buffer.concat([npyHead([3, 5], '<f4'), bytesOf(new Float32Array(15))]));
    await writeFile(at('notes.txt'), 'not a picture');
    const served = await servedKit(run, folder());
    const browser = await launch();
    try {
      for (const page of ['onnxruntime.html', 'litert.html']) {
        const tab = await browser.newPage({ viewport: { width: 900, height: 700 } });
        await tab.goto(`${served.address}${page}`);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
        expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
        const results = await tab.evaluate<{ differs: boolean }[]>('JSON.parse(document.body.dataset.results)');
        expect(results.filter(({ differs }) => differs)).toEqual([]);
        const count = await tab.locator('li').count();
        const says = async (chooser: string, files: string | string[], text: string) => {
          await tab.setInputFiles(chooser, files);
          await tab.waitForFunction(`document.querySelector('#added').value.startsWith(${JSON.stringify(text)})`);
        };
        await says('input[accept=".npy"]', at('other.npy'), '0 vectors of 1 files; other.npy: expected vectors of 8 numbers'); // prettier-ignore
        await says('input[accept=".npy"]', at('notes.txt'), '0 vectors of 1 files; notes.txt: expected a file of NumPy, version 1'); // prettier-ignore
        await says('input[accept=".npy"]', at('vectors.npy'), '60 vectors of 1 files');
        const asked = async (file: string): Promise<string> => {
          const before = await tab.locator('li').count();
          await tab.setInputFiles('input[accept="image/*"]', file);
          await tab.waitForFunction(`document.querySelectorAll('li').length === ${before + 1}`);
          return (await tab.locator('li').last().textContent())!;
        };
        // The last of the file are red.
        expect(await asked(at('p/red/15.png'))).toContain('vectors.npy 46 (1.000)');
        await says('input[webkitdirectory]', at('p/green'), '20 vectors of 20 files');
        expect(await asked(at('p/green/12.png'))).toMatch(/green\/12\.png \(1\.000\)/);
        expect(await tab.locator('li').last().locator('img').count()).toBeGreaterThan(0);
        expect(await tab.locator('li').count()).toBe(count + 2);
        if (process.env['SHOT']) await tab.screenshot({ path: `${process.env['SHOT']}-${page}.png`, fullPage: true });
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
