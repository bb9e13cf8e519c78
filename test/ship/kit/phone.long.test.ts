import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../../../src/measure/devices/chromium.ts';
import type { BenchResult } from '../../../src/tools/bench.ts';
import type { ModelRow, Report } from '../../../src/report/types.ts';
import { limbeck, start } from '../../support/built.ts';
import { DIGITS, QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { inProcess } from '../../support/in-process.ts';

const folder = temporaryFolder();
const browser = findChromium();

async function runOnce(): Promise<void> {
  const recipe = {
    dataset: { ...DIGITS, test: undefined, normalize: undefined },
    student: { model: 'mlp', hidden: [8] },
    distill: { epochs: 1 },
    export: ['onnx', 'tflite'],
    ...QUICK,
  };
  await writeFile(path.join(folder(), 'tiny.yaml'), JSON.stringify(recipe));
  const { code, stderr } = await inProcess(folder(), 'run', 'tiny.yaml', '--quiet');
  expect([code, stderr]).toEqual([0, '']);
}

const report = async () =>
  JSON.parse(await readFile(path.join(folder(), 'checkpoints/tiny/report.json'), 'utf8')) as Report;
const runtimes = (models: readonly ModelRow[], device: string) =>
  models.map(({ id, latency }) => [id, latency.filter((row) => row.device === device).map(({ runtime }) => runtime)]);

(browser === undefined ? describe.skip : describe)('a phone that opens the page of limbeck bench --serve', () => {
  it('measures, and its rows are in the report of the run', async () => {
    await runOnce();
    const args = ['bench', 'tiny', '--serve', '--host', '127.0.0.1', '--seconds', '1'];
    const { child, finished, output } = start(folder(), args);
    const phone = await chromium.launch({
      executablePath: browser!,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
    });
    try {
      const url = await until(() => /http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{24}\//.exec(output())?.[0]);
      // The QR code.
      expect(output()).toMatch(/[█▀▄]{5}/);
      const context = await phone.newContext({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => void complaints.push(error.message));
      await page.goto(url);
      await page.locator('#device').fill('Test phone');
      await page.locator('#start:enabled').tap();
      await page.getByText('the report of tiny has these figures as Test phone').waitFor({ timeout: 120_000 });
      expect(await page.locator('#rows tr').count()).toBe(2);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      // LiteRT logs there, and the browser that its wish for an icon has no answer.
      expect(complaints.filter((text) => !/^(INFO|WARNING): |favicon|403/.test(text))).toEqual([]);
    } finally {
      await phone.close();
      child.kill('SIGINT');
    }
    expect((await finished).code).toBe(0);
    expect(output()).toMatch(/Test phone\nfile .*\nscratch +onnxruntime-web on Test phone/);

    const { models } = await report();
    expect(runtimes(models, 'Test phone')).toEqual([
      ['scratch', ['onnxruntime-web']],
      ['scratch-tflite', ['litert-web']],
    ]);
    expect(models[0]!.latency[0]!.p50Ms).toBeGreaterThan(0);
    for (const name of ['report.html', 'report.csv'])
      expect(await readFile(path.join(folder(), 'checkpoints/tiny', name), 'utf8')).toContain('Test phone');

    // Made again, the report has them still; measured again on this machine, it has both.
    await limbeck(folder(), 'report', 'tiny');
    expect((await report()).models).toEqual(models);
    const { code, stdout } = await limbeck(folder(), 'bench', 'tiny', '--seconds', '0.5', '--json');
    expect(code).toBe(0);
    const { rows } = JSON.parse(stdout) as { rows: { memoryBytes: number }[] };
    expect(rows.every(({ memoryBytes }) => memoryBytes >= 0 && memoryBytes < 2e8)).toBe(true);
    const after = (await report()).models;
    expect(runtimes(after, 'Test phone')).toEqual(runtimes(models, 'Test phone'));
    expect(runtimes(after, 'cpu')[0]).toEqual(['scratch', ['onnxruntime']]);
  });
});

(browser === undefined ? it.skip : it)('a headless browser measures ONNX and TFLite files', async () => {
  await runOnce();
  const exports = ['onnx', 'tflite'].map((format) => `checkpoints/tiny/exports/scratch.${format}`);
  const args = ['bench', ...exports, '--in', 'chromium', '--seconds', '0.5', '--json'];
  const { code, stdout, stderr } = await limbeck(folder(), ...args);
  expect([code, stderr]).toEqual([0, '']);
  const { rows } = JSON.parse(stdout) as BenchResult;
  expect(rows.map(({ name, runtime }) => [name, runtime])).toEqual([
    [exports[0], 'onnxruntime-web'],
    [exports[1], 'litert-web'],
  ]);
  for (const { p50Ms, sessions } of rows) {
    expect(p50Ms).toBeGreaterThan(0);
    expect(sessions).toBeGreaterThan(0);
  }
});

it('the places of a recipe may be a browser of this machine, or phones', async () => {
  await runOnce();
  const set = ['--fresh', '--set', 'report.latency.seconds=0.3', '--set', 'report.latency.places=[chromium, adb]'];
  const neither = "process.env.CHROME_PATH = '/nowhere'; process.env.ADB = '/nowhere/adb';";
  const { code } = await start(folder(), ['run', 'tiny.yaml', '--quiet', ...set], neither).finished;
  expect(code).toBe(0);
  expect((await report()).notes).toEqual(
    expect.arrayContaining([
      'latency of browsers was not measured: CHROME_PATH is no program: /nowhere',
      expect.stringMatching(/^latency of phones was not measured: \/nowhere\/adb cannot be started/),
    ]),
  );
});

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
