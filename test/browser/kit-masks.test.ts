import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { colouredMask } from '../../src/report/mask-colours.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { masksOf } from '../../src/answers/mask/masks.ts';
import { ask, serving } from '../serve/server.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';
import { SHAPES, shapesArchive, SIZE } from '../support/shapes.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

interface Segment {
  readonly label: string;
  readonly area: number;
}

interface Example {
  readonly raw: readonly number[];
  readonly logits: readonly number[];
}

const grid = { rows: SIZE / 4, columns: SIZE / 4, classes: 3, stride: 4 };

/** Segments of a picture file, as the server says them. */
async function segmentsOfServer(model: string, file: string): Promise<Segment[]> {
  const server = await serving({ 'm.onnx': readFileSync(model) });
  const question = { body: await readFile(file), headers: { 'content-type': 'image/png' } };
  const { json } = await ask(server, '/v1/m', question).finally(() => server.end());
  return (json.predictions as { segments: Segment[] }[])[0]!.segments;
}

(BROWSER === undefined ? it.skip : it)(
  `the samples of a kit draw masks over pictures, in Node and on pages, also over what a camera sees${NO_BROWSER}`,
  async () => {
    await writeFile(at('train.npz'), shapesArchive(160, 'train'));
    const recipe = {
      ...{ name: 'shapes', export: ['onnx', 'tflite'], ...QUICK },
      dataset: {
        ...{ type: 'npz', task: 'segmentation', train: { file: 'train.npz' }, validation: 20 },
        ...{ classes: SHAPES, stride: 4, normalize: 'unit' },
      },
      student: { model: 'unet', filters: 4, depth: 3, convolutions: 'full' },
      distill: { epochs: 5, batchSize: 20, optimizer: { learningRate: 0.02 } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    const served = await servedKit(run, folder());
    const examples = JSON.parse(await readFile(path.join(served.kit, 'example.json'), 'utf8')) as Example[];

    // In Node: a file for each example, and the shares of the classes.
    const node = path.join(served.kit, 'samples/node');
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(node, 'node_modules'));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['segment.mjs'], { cwd: node, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(examples.length);
    for (const [i, { raw, logits }] of examples.entries()) {
      const mask = masksOf(Float32Array.from(logits), grid);
      const share = mask.filter((index) => index === 0).length / mask.length;
      expect(stdout).toContain(`mask-${i + 1}.png\tground ${(100 * share).toFixed(1)} %`);
      const { data, info } = await sharp(path.join(node, `mask-${i + 1}.png`)).raw().toBuffer({ resolveWithObject: true }); // prettier-ignore
      expect([info.width, info.height, info.channels]).toEqual([SIZE, SIZE, 3]);
      const colours = colouredMask(mask, 3);
      expect([...data]).toEqual(raw.map((value, at) => Math.floor((value + colours[at]!) / 2)));
    }
    rmSync(path.join(node, 'node_modules'));

    const picture = at('picture.png');
    const pixels = Uint8Array.from({ length: 60 * 80 * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 80, Math.floor(i / 240)];
      return (Math.hypot(x - 40, y - 30) < 18 ? [200, 60, 40] : [40, 60, 200])[i % 3]!;
    });
    await sharp(pixels, { raw: { width: 80, height: 60, channels: 3 } })
      .png()
      .toFile(picture);
    const expected = await segmentsOfServer(path.join(run, 'exports/scratch.onnx'), picture);
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
        results.forEach(({ answers }, i) =>
          answers.forEach((value, k) => expect(Math.abs(value - examples[i]!.logits[k]!)).toBeLessThan(1e-3)),
        );
        await tab.setInputFiles('input', picture);
        const last = tab.locator('li').nth(examples.length);
        await last.waitFor();
        const said = [...(await last.textContent())!.matchAll(/(\w+) ([\d.]+) %/g)];
        expect(said.map(([, label]) => label)).toEqual(expected.map(({ label }) => label));
        // A pixel or two lie on the border of two classes.
        said.forEach(([, , share], i) => expect(Math.abs(Number(share) / 100 - expected[i]!.area)).toBeLessThan(0.004));
        await tab.locator('button').click();
        const live = tab.locator('li').nth(examples.length + 1);
        await live.waitFor();
        expect(await live.textContent()).toMatch(/^\w+ [\d.]+ %/);
        await tab.locator('button').click();
        expect(await tab.locator('button').textContent()).toBe('Camera');
        expect(await tab.locator('output').textContent()).toBe('');
        if (process.env['LIMBECK_SHOTS'] !== undefined)
          await tab.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], `${page}.png`), fullPage: true });
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
