// Needs the features convert-page, keras and page.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { AxeResults } from 'axe-core';
import { zipSync } from 'fflate';
import type { Browser, Page, Worker } from 'playwright-core';
import sharp from 'sharp';
import '../../src/features.ts';
import { inspect } from '../../src/convert/index.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { built, limbeck, ROOT, start } from '../support/built.ts';
import { externalOnnx } from '../support/external.ts';
import { numbers } from '../support/graphs.ts';
import { npyBytes } from '../support/npy.ts';
import { KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SECONDS = 60_000;
/** Of at least 64 samples a quarter is held out. */
const SAMPLES = 80;
const FILES = {
  'distilled.onnx': () => readFile(path.join(ROOT, 'checkpoints/fashion-mnist-second-teacher/exports/distilled.onnx')),
  'teacher.onnx': () => readFile(path.join(ROOT, 'checkpoints/fashion-mnist-first-teacher/teacher.onnx')),
  'net.keras': () => Promise.resolve(Buffer.from(packedKeras(KERAS_PARTS))),
};
const TEXTS = { tflite: 'TFLite', onnx: 'ONNX', fp32: 'float32', fp16: 'float16' } as const;
const FLOATS = [
  ['tflite', 'fp32'],
  ['tflite', 'fp16'],
  ['onnx', 'fp32'],
] as const;

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

  /** Writes a model and its samples, and gives them to the page. */
  async function given(name: keyof typeof FILES) {
    const source = await FILES[name]();
    const { inputs } = await inspect(source);
    const shape = [SAMPLES, ...(inputs[0]!.shape.slice(1) as number[])];
    const values = numbers(
      shape.reduce((a, b) => a * b, 1),
      'samples',
    );
    const [from, data] = [path.join(folder, name), path.join(folder, 'x.npy')];
    await writeFile(from, source);
    await writeFile(data, npyBytes(shape, values));
    expect(await choose({ name, buffer: source })).toBe('read');
    await page.setInputFiles('#samples-file', data);
    return { from, data };
  }

  it.each(Object.keys(FILES) as (keyof typeof FILES)[])(
    'gives %s in float32 and float16 the bytes and the likeness of the command line',
    async (name) => {
      const { from, data } = await given(name);
      for (const [format, precision] of FLOATS) {
        const out = path.join(folder, `out.${format}`);
        const { outputs } = await convertFile({ from, out, format, precision, data });
        const made = await converted(TEXTS[format], TEXTS[precision]);
        expect([format, precision, Buffer.compare(made.bytes, await readFile(out))]).toEqual([format, precision, 0]);
        expect(made.row[0]).toBe(outputs[0]!.output);
        // Beyond 100 dB the rounding of the runtimes themselves decides.
        const [own, its] = [parseFloat(made.row[1]!), outputs[0]!.sqnrDb!];
        if (its < 100) expect(Math.abs(own - its)).toBeLessThan(0.1);
        else expect(made.row[1] === 'no difference' || own > 100).toBe(true);
      }
    },
  );

  it.each([
    ['distilled.onnx', 'onnx'],
    ['teacher.onnx', 'tflite'],
    ['net.keras', 'tflite'],
  ] as const)(
    'gives %s in int8 as %s the bytes and the likeness that Node gives with onnxruntime-web',
    async (name, format) => {
      const { from, data } = await given(name);
      const script = path.join(import.meta.dirname, 'convert-in-node.mjs');
      const words = [script, built(), from, data, format, 'int8', 'onnxruntime-web'];
      const said = execFileSync(process.execPath, words, { maxBuffer: 2 ** 28, encoding: 'utf8' });
      const node = JSON.parse(said) as { bytes: string; seconds: number; outputs: { sqnrDb: string }[] };
      const made = await converted(TEXTS[format], 'int8');
      expect(Buffer.compare(made.bytes, Buffer.from(node.bytes, 'base64'))).toBe(0);
      expect(parseFloat(made.row[1]!)).toBe(Number(Number(node.outputs[0]!.sqnrDb).toFixed(1)));
      // The command line calibrates in onnxruntime-node, whose sums are rounded otherwise.
      const out = path.join(folder, `out.${format}`);
      const { outputs } = await convertFile({ from, out, format, precision: 'int8', data, accept: true });
      expect(Math.abs(parseFloat(made.row[1]!) - outputs[0]!.sqnrDb!)).toBeLessThan(1);
    },
  );

  it('describes a model, and asks for nothing more once the runtimes are loaded', async () => {
    const buffer = await FILES['distilled.onnx']();
    await choose({ name: 'distilled.onnx', buffer });
    const { macs, layers, operators } = await inspect(buffer);
    await page.locator('#model summary').click();
    expect(await page.locator('#model details tbody tr').count()).toBe(layers.length);
    const text = (await page.locator('#model').textContent())!;
    for (const [operator, count] of Object.entries(operators)) expect(text).toContain(`${count} ${operator}`);
    expect(text).toContain(`${(macs! / 1e6).toPrecision(3)} M`);
    // The samples of the model before stay chosen; their shape is that of its inputs.
    await page.getByRole('button', { name: 'Take random numbers instead' }).click();
    await converted('TFLite', 'float32');
    const before = asked.length;
    await choose({ name: 'distilled.onnx', buffer });
    await converted('ONNX', 'float16');
    await converted('TFLite', 'int8 weights');
    expect(asked.slice(before).filter((address) => !address.startsWith('blob:'))).toEqual([]);
    expect(asked.filter((address) => !/^(blob|data):/.test(address) && !address.startsWith(url))).toEqual([]);
    expect(odd).toEqual([]);
  });

  it('stops, and converts again', async () => {
    await given('teacher.onnx');
    await page.locator('#form').getByText('int8', { exact: true }).click();
    await page.click('#convert');
    await page.getByText(/calibrating|correcting|comparing/).waitFor();
    await page.click('#stop');
    await page.getByText('Stopped.').waitFor();
    expect((await converted('ONNX', 'float32')).name).toBe('teacher.onnx');
  });

  it('takes pictures, and says what few are worth', async () => {
    await choose({ name: 'distilled.onnx', buffer: await FILES['distilled.onnx']() });
    await page.locator('#form').getByText('int8', { exact: true }).click();
    const pictures = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => ({
        name: `${i}.png`,
        mimeType: 'image/png',
        buffer: await sharp({
          create: { width: 40, height: 30, channels: 3, background: { r: 20 * i, g: 90, b: 255 - 20 * i } },
        })
          .png()
          .toBuffer(),
      })),
    );
    await page.setInputFiles('#samples-file', pictures);
    await page.getByText('−1 to 1', { exact: true }).click();
    await converted('TFLite', 'int8');
    await page.getByText('Your 12 samples from 12 pictures').waitFor();
    const text = (await page.locator('#made').textContent())!;
    expect(text).toContain('12 are few: 128 or more');
    expect(text).toContain('on 12 samples that did not calibrate it');
    await page.setInputFiles('#samples-file', {
      name: 'x.png',
      mimeType: 'image/png',
      buffer: Buffer.from('no picture'),
    });
    await page.click('#convert');
    await page.getByText('x.png: is no picture that this browser reads').waitFor();
    await page.getByText('Take random numbers instead').click();
  });

  it('refuses bad files with a sentence, and stays alive', async () => {
    const whole = await FILES['net.keras']();
    const bomb = zipSync({
      'metadata.json': new Uint8Array(2),
      'config.json': new Uint8Array(2),
      'model.weights.h5': new Uint8Array(2 ** 27),
    });
    const large = path.join(folder, 'large.onnx');
    await writeFile(large, '');
    await truncate(large, 2 ** 31 + 1);
    const bad: readonly (readonly [name: string, content: Uint8Array | string, said: RegExp])[] = [
      ['cut.keras', whole.subarray(0, 900), /no archive of Keras, or a damaged one/],
      ['cut.onnx', (await FILES['distilled.onnx']()).subarray(0, 5000), /not an ONNX file, or a damaged one/],
      ['text.onnx', Buffer.from('hello, world'), /not an ONNX file/],
      ['bomb.keras', bomb, /becomes 134 MB of \d+ bytes, more than weights can/],
      [
        'weights.onnx',
        externalOnnx({ location: 'weights.bin' }),
        /weights are in another file, weights\.bin, which was not given/,
      ],
      ['large.onnx', large, /has 2147483649 bytes, expected at most 2147483647/],
      ['half.tflite', Buffer.from('\u0001\0\0\0TFL3 and no more'), /half\.tflite/],
    ];
    for (const [name, content, said] of bad) {
      if (typeof content === 'string') await page.setInputFiles('#file', content);
      else await page.setInputFiles('#file', { name, mimeType: '', buffer: Buffer.from(content) });
      await page.locator('#state.bad').waitFor();
      const text = (await page.locator('#file-said .caution').textContent())!;
      expect(text).toMatch(said);
      expect(text).not.toContain('the page failed');
      expect(await page.locator('#making').isVisible()).toBe(false);
      expect(await choose({ name: 'net.keras', buffer: whole })).toBe('read');
    }
  });

  it('is used by keyboard, and is accessible on wide and narrow screens', async () => {
    await page.locator('#file').focus();
    await choose({ name: 'net.keras', buffer: await FILES['net.keras']() });
    await page.locator('#form input[type=radio]').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('#form label', { hasText: 'int4 weights' }).waitFor();
    await page.locator('#convert').focus();
    await page.keyboard.press('Enter');
    await page.locator('#state.good', { hasText: 'converted' }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('made-title');
    const axe = await readFile(AXE, 'utf8');
    for (const [width, scheme] of [
      [1200, 'light'],
      [390, 'dark'],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))");
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await page.evaluate(axe);
      const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
      const shots = process.env['SCREENSHOTS'];
      await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = false))");
      if (shots !== undefined)
        await page.screenshot({ path: path.join(shots, `convert-${width}.png`), fullPage: true });
    }
    await page.setViewportSize({ width: 1200, height: 900 });
    expect(odd).toEqual([]);
  });

  it('is a folder for any server of files, whose policy holds for the worker too', async () => {
    const to = path.join(folder, 'static');
    const { code, stdout } = await limbeck(folder, 'convert', '--page', '--to', to);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/: the page, \d+ files of [\d.]+ MB/)]);
    const types: Readonly<Record<string, string>> = {
      '.html': 'text/html',
      '.css': 'text/css',
      '.wasm': 'application/wasm',
    };
    const server = createServer((request, response) => {
      const file = path.join(to, request.url === '/' ? 'index.html' : request.url!);
      readFile(file).then(
        (body) => response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'text/javascript' }).end(body),
        () => response.writeHead(404).end(),
      );
    }).listen(0, '127.0.0.1');
    const own = page;
    try {
      page = await browser.newPage();
      const workers: Worker[] = [];
      page.on('worker', (worker) => void workers.push(worker));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await choose({ name: 'distilled.onnx', buffer: await FILES['distilled.onnx']() });
      expect((await converted('TFLite', 'float16')).name).toBe('distilled-fp16.tflite');
      const elsewhere = `fetch('${url}').then(() => 'sent', () => 'refused')`;
      expect(await workers[0]!.evaluate(elsewhere)).toBe('refused');
      expect(await page.evaluate(elsewhere)).toBe('refused');
    } finally {
      await page.close();
      page = own;
      server.close();
      server.closeAllConnections();
    }
  });

  it('tells the size of its scripts without the runtimes', async () => {
    const scripts = (await readdir(path.join(folder, 'static/app'), { recursive: true })).filter(
      (file) => /\.js$/.test(file) && !/^(ort|litert)/.test(file),
    );
    const packed = await Promise.all(
      scripts.map(async (file) => gzipSync(await readFile(path.join(folder, 'static/app', file))).length),
    );
    const bytes = packed.reduce((sum, length) => sum + length, 0);
    console.log(`${scripts.length} scripts, ${bytes} bytes gzipped one by one`);
    expect(bytes).toBeLessThan(1.5e6);
  });
});
