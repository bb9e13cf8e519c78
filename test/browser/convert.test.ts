// Needs the feature keras.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import '../../src/features.ts';
import type { convert, ConversionOptions } from '../../src/convert.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { built, ROOT } from '../support/built.ts';
import { numbers } from '../support/graphs.ts';
import { npyBytes } from '../support/npy.ts';
import { pictureTeacher } from '../support/onnx.ts';
import { kerasHdf5, KERAS_PARTS, packedKeras } from '../support/saved-keras.ts';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.wasm': 'application/wasm' };
const FILES = {
  'nhwc.onnx': pictureTeacher(),
  'nchw.onnx': pictureTeacher({ layout: 'nchw' }),
  'softmax.onnx': pictureTeacher({ softmax: true }),
  'net.keras': packedKeras(KERAS_PARTS),
  'net.h5': kerasHdf5,
};

const SHAPES: Readonly<Record<keyof typeof FILES, readonly number[]>> = {
  ...{ 'nhwc.onnx': [4, 4, 2], 'nchw.onnx': [2, 4, 4], 'softmax.onnx': [4, 4, 2] },
  ...{ 'net.keras': [6, 6, 4], 'net.h5': [6, 6, 4] },
};

(BROWSER === undefined ? describe.skip : describe)(`the example of limbeck/convert, in Chromium${NO_BROWSER}`, () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  let folder: string;
  const asked: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'limbeck-convert-'));
    server = createServer((request, response) => void answer(request.url!).then(([type, body]) => {
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
    })).listen(0, '127.0.0.1'); // prettier-ignore
    browser = await launch();
    page = await browser.newPage();
    page.on('request', (request) => void asked.push(request.url()));
    await page.goto(`${origin()}/examples/convert/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(url: string): Promise<[string, Buffer | undefined]> {
    const own = '/node_modules/limbeck/';
    const file = url.startsWith(own) ? path.join(built(), url.slice(own.length)) : path.join(ROOT, url);
    const type = TYPES[path.extname(file)] ?? 'text/javascript';
    return [type, await readFile(file).catch(() => undefined)];
  }

  /** Bytes that the page converts the file to. `x`: numbers and shape of the samples that calibrate it. */
  async function converted(
    name: keyof typeof FILES,
    precision: NonNullable<ConversionOptions['precision']>,
    x: { readonly data: readonly number[]; readonly shape: readonly number[]; readonly correctBiases: boolean },
  ): Promise<Buffer> {
    const given = { bytes: [...FILES[name]], name, precision, x, modules: ['limbeck/convert', 'onnxruntime-web'] };
    const made = await page.evaluate(async ({ bytes, modules, x: { data, shape, correctBiases }, ...options }) => {
      const [room, runtime] = await Promise.all(modules.map((one): Promise<unknown> => import(one)));
      const input = options.name.endsWith('.onnx') ? 'pixels' : 'x';
      const samples = [{ [input]: { data: Float32Array.from(data), shape } }];
      const run = (room as { convert: typeof convert }).convert;
      const { files } = await run(Uint8Array.from(bytes), {
        to: 'tflite',
        runtime: runtime as never,
        samples,
        correctBiases,
        ...options,
      });
      return [...[...files.values()][0]!];
    }, given);
    return Buffer.from(made);
  }

  it.each(Object.keys(FILES) as (keyof typeof FILES)[])(
    'gives %s the bytes that the command line writes',
    async (name) => {
      const [from, out] = [path.join(folder, name), path.join(folder, 'out')];
      await writeFile(from, FILES[name]);
      const shape = [8, ...SHAPES[name]];
      const data = numbers(
        shape.reduce((a, b) => a * b, 1),
        'samples',
      );
      await writeFile(path.join(folder, 'x.npy'), npyBytes(shape, data));
      const samples = { data: path.join(folder, 'x.npy'), samples: 8, accept: true };
      // onnxruntime-web rounds the sums of convolutions otherwise, so that only files without them are calibrated alike.
      const precisions = ['fp32', 'fp16', ...(name.endsWith('.onnx') ? (['int8'] as const) : [])] as const;
      for (const precision of precisions) {
        const { skipped } = await convertFile({
          ...{ from, out, precision },
          format: 'tflite',
          ...(precision === 'int8' && samples),
        });
        const made = await converted(name, precision, {
          ...{ data: [...data], shape },
          // The command line keeps the biases as they were where the file answers better so.
          correctBiases: !skipped.some(({ what }) => what === 'every bias'),
        });
        expect([precision, Buffer.compare(made, await readFile(out))]).toEqual([precision, 0]);
      }
    },
  );

  it('takes a file, offers the new one, and asks no other host', async () => {
    const file = { name: 'net.keras', mimeType: '', buffer: Buffer.from(FILES['net.keras']) };
    await page.setInputFiles('input', file);
    const link = page.getByRole('link', { name: 'net.tflite' });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    expect((await readFile(await download.path())).subarray(4, 8).toString()).toBe('TFL3');
    await page.setInputFiles('input', { ...file, buffer: file.buffer.subarray(0, 900) });
    await page.getByText('no archive of Keras, or a damaged one').waitFor();
    await page.setInputFiles('input', file);
    await link.waitFor();
    expect(asked.filter((url) => !url.startsWith(origin()) && !url.startsWith('blob:'))).toEqual([]);
    expect(asked.length).toBeGreaterThan(50);
  });
});
