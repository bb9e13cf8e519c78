// Needs the features convert-page, keras and page.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import '../../src/features.ts';
import { inspect } from '../../src/convert/index.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT, start } from '../support/built.ts';
import { numbers } from '../support/graphs.ts';
import { npyBytes } from '../support/npy.ts';
import { KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SECONDS = 180_000;
/** Of at least 64 samples a quarter is held out. */
const SAMPLES = 80;
const FILES = {
  'distilled.onnx': () => readFile(path.join(ROOT, 'checkpoints/fashion-mnist-second-teacher/exports/distilled.onnx')),
  'teacher.onnx': () => readFile(path.join(ROOT, 'checkpoints/watch-exercises-teacher/teacher.onnx')),
  'net.keras': () => Promise.resolve(Buffer.from(packedKeras(KERAS_PARTS))),
};
const PRECISIONS = { fp32: 'float32', fp16: 'float16', int8: 'int8' } as const;

(BROWSER === undefined ? describe.skip : describe)(`the page of the converter, in Chromium${NO_BROWSER}`, () => {
  let browser: Browser;
  let folder: string;
  let served: ReturnType<typeof start>;
  let url: string;
  let page: Page;
  /** Addresses that the page and its worker asked for, and what they complained of. */
  const asked: string[] = [];
  const odd: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'limbeck-convert-page-'));
    served = start(folder, ['convert', '--page']);
    for (let i = 0; !/page at/.test(served.output()); i++) {
      if (i > 1200 || served.child.exitCode !== null) throw new Error(served.output());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    url = /http\S+\//.exec(served.output())![0];
    browser = await launch();
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    context.on('request', (request) => void asked.push(request.url()));
    page = await context.newPage();
    page.setDefaultTimeout(SECONDS);
    page.on('console', (message) => void odd.push(message.text()));
    page.on('pageerror', (error) => void odd.push(error.message));
    await page.goto(url);
  });
  afterAll(async () => {
    await browser?.close();
    served?.child.kill();
    await served?.finished;
    await rm(folder, { recursive: true, force: true });
  });

  /** Gives the page a model, and waits for what it says of it. */
  async function choose(...files: readonly { readonly name: string; readonly buffer: Buffer }[]): Promise<string> {
    await page.setInputFiles(
      '#file',
      files.map((file) => ({ mimeType: '', ...file })),
    );
    await page.locator('#state.good, #state.bad').waitFor();
    return (await page.locator('#state').textContent())!;
  }

  /** Makes a file, and hands back its bytes with the row of its first output. */
  async function converted(format: string, precision: string) {
    const form = page.locator('#form');
    await form.getByText(format, { exact: true }).click();
    await form.getByText(precision, { exact: true }).click();
    await page.click('#convert');
    await page.locator('#state.good, #state.bad').waitFor();
    expect([await page.locator('#state').textContent(), await page.locator('#progress').textContent()]).toEqual([
      'converted',
      expect.stringContaining('is ready below'),
    ]);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('.save')]);
    const row = await page.locator('#made table').first().locator('tbody tr').first().locator('td').allTextContents();
    return { bytes: await readFile(await download.path()), name: download.suggestedFilename(), row };
  }

  it.each(Object.keys(FILES) as (keyof typeof FILES)[])(
    'gives %s the bytes and the likeness of the command line',
    async (name) => {
      const source = await FILES[name]();
      const { inputs } = await inspect(source);
      const shape = [SAMPLES, ...(inputs[0]!.shape.slice(1) as number[])];
      const npy = npyBytes(
        shape,
        numbers(
          shape.reduce((a, b) => a * b, 1),
          'samples',
        ),
      );
      const [from, data] = [path.join(folder, name), path.join(folder, 'x.npy')];
      await writeFile(from, source);
      await writeFile(data, npy);
      expect(await choose({ name, buffer: source })).toBe('read');
      await page.setInputFiles('#samples-file', { name: 'x.npy', mimeType: '', buffer: Buffer.from(npy) });
      for (const [precision, text] of Object.entries(PRECISIONS) as [keyof typeof PRECISIONS, string][])
        for (const format of ['tflite', 'onnx'] as const) {
          const out = path.join(folder, `out.${format}`);
          const { outputs } = await convertFile({ from, out, format, precision, data, accept: true });
          const made = await converted(format === 'tflite' ? 'TFLite' : 'ONNX', text);
          console.log(name, format, precision, Buffer.compare(made.bytes, await readFile(out)), made.row, outputs[0]!.sqnrDb);
        }
    },
  );
});
