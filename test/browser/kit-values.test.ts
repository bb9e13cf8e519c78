import { spawnSync } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';

const folder = temporaryFolder();

/** Flats by area, rooms and district, and what they cost; some areas and districts are missing. */
function flats(count: number): string {
  const random = new RandomStream('flats');
  const lines = Array.from({ length: count }, () => {
    const [area, rooms, district] = [20 + random.below(100), 1 + random.below(5), random.below(3)];
    const rent = 100 + 9 * area + 40 * rooms + 150 * district + random.below(20);
    const isMissing = random.below(8);
    return [
      isMissing === 0 ? '' : area,
      rooms,
      isMissing === 1 ? '' : ['east', 'west', 'south'][district],
      rent,
    ].join();
  });
  return `area,rooms,district,rent\n${lines.join('\n')}\n`;
}

(BROWSER === undefined ? it.skip : it)(
  `the page of a kit predicts rows that are typed, and takes an empty field for what is missing${NO_BROWSER}`,
  async () => {
    await writeFile(path.join(folder(), 'flats.csv'), flats(300));
    const recipe = {
      name: 'flats',
      dataset: {
        ...{ type: 'csv', task: 'regression', train: 'flats.csv', testFraction: 0.2, label: 'rent', missing: 'mean', categorical: ['district'] },
      },
      student: { model: 'mlp', hidden: [16] },
      distill: { epochs: 20, batchSize: 16, optimizer: { learningRate: 0.01 } },
      ...{ export: ['onnx', 'tflite'], report: { latency: { seconds: 0 } } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    const served = await servedKit(run, folder());
    const rows = [
      { area: 60, rooms: 3, district: 'west' },
      { area: null, rooms: 2, district: null },
    ];
    const node = path.join(served.kit, 'samples/node');
    await symlink(path.join(ROOT, 'node_modules'), path.join(node, 'node_modules'));
    await writeFile(path.join(node, 'rows.json'), JSON.stringify(rows));
    const { stdout, stderr } = spawnSync(process.execPath, ['predict.mjs', 'rows.json'], { cwd: node, encoding: 'utf8' });
    expect(stderr).toBe('');
    const expected = stdout.trim().split('\n').map((line) => Number(line.replace('rent ', '')));
    const browser = await launch();
    try {
      for (const page of ['onnxruntime.html', 'litert.html']) {
        const tab = await browser.newPage({ viewport: { width: 900, height: 600 } });
        await tab.goto(`${served.address}${page}`);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
        expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
        const examples = JSON.parse(await readFile(path.join(served.kit, 'example.json'), 'utf8')) as { targets: number[] }[];
        const items = await tab.locator('li').allTextContents();
        examples.forEach(({ targets }, i) => expect(items[i]).toMatch(new RegExp(`^rent [\\d.]+, expected ${targets[0]!}$`)));
        for (const [i, { area, rooms, district }] of rows.entries()) {
          await tab.fill('input[name=area]', area === null ? '' : String(area));
          await tab.fill('input[name=rooms]', String(rooms));
          await tab.selectOption('select', district ?? '');
          await tab.click('button');
          await tab.waitForFunction(`document.querySelectorAll('li').length === ${items.length + i + 1}`);
          const said = (await tab.locator('li').last().textContent())!;
          expect(Math.abs(Number(said.replace('rent ', '')) - expected[i]!)).toBeLessThan(0.01);
        }
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
); // prettier-ignore
