import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { RandomStream } from '../../src/base/random.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { BROWSER, NO_BROWSER } from '../support/browser.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';
import { wavFile } from '../support/sound.ts';

const folder = temporaryFolder();
const RATE = 8000;

function tone(hertz: number, count: number, random?: RandomStream): number[] {
  const [loud, phase] = random === undefined ? [0.5, 0] : [0.1 + 0.5 * random.uniform(), 6 * random.uniform()];
  return Array.from({ length: count }, (_, t) => loud * Math.sin((2 * Math.PI * hertz * t) / RATE + phase));
}

(BROWSER === undefined ? it.skip : it)(
  `the page of a kit for sounds hears what the microphone hears, and files${NO_BROWSER}`,
  async () => {
    const random = new RandomStream('tones');
    for (const [name, hertz] of Object.entries({ high: 1500, low: 300 })) {
      mkdirSync(path.join(folder(), 's', name), { recursive: true });
      for (let i = 0; i < 30; i++)
        writeFileSync(path.join(folder(), 's', name, `${i}.wav`), wavFile(tone(hertz, 2000, random), { rate: RATE }));
    }
    const recipe = {
      name: 'r',
      dataset: { type: 'audio-folder', train: 's', testFraction: 0.2, rate: RATE, seconds: 0.25 },
      student: { model: 'ds-cnn', width: 0.25 },
      distill: { epochs: 8, batchSize: 16, optimizer: { learningRate: 0.01 } },
      ...{ export: ['onnx', 'tflite'], report: { latency: { seconds: 0 } } },
    };
    const { folder: run } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
    const served = await servedKit(run, folder());
    const heard = path.join(folder(), 'heard.wav');
    writeFileSync(heard, wavFile(tone(1500, 10 * RATE), { rate: RATE }));
    const file = path.join(folder(), 'file.wav');
    writeFileSync(file, wavFile(tone(300, 2 * RATE), { rate: RATE }));

    const node = path.join(served.kit, 'samples/node');
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(node, 'node_modules'));
    const { stdout } = spawnSync(process.execPath, ['classify.mjs', file], { cwd: node, encoding: 'utf8' });
    expect(stdout).toMatch(/^low\t/);

    const browser = await chromium.launch({
      executablePath: BROWSER!,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--autoplay-policy=no-user-gesture-required'],
        ...['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
        `--use-file-for-fake-audio-capture=${heard}`,
      ],
      timeout: 120_000,
    });
    try {
      for (const page of ['onnxruntime.html', 'litert.html']) {
        const tab = await browser.newPage();
        await tab.goto(`${served.address}${page}`);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
        await tab.setInputFiles('input', file);
        await tab.waitForFunction("document.querySelector('li:last-child').textContent.startsWith('low')");
        await tab.click('button');
        await tab.waitForFunction("document.querySelector('output').textContent.startsWith('high')");
        await tab.click('button');
        await tab.waitForFunction("document.querySelector('button').textContent === 'Listen'");
        expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
        await tab.close();
      }
    } finally {
      await browser.close();
      served.end();
    }
  },
);
