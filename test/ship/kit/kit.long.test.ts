import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type * as Playwright from 'playwright-core';
import { findChromium } from '../../../src/measure/devices/chromium.ts';
import { loadData } from '../../../src/setup/data.ts';
import { finishedReport } from '../../../src/folder/report/finished.ts';
import { storedRecipe } from '../../../src/folder/folder.ts';
import { writeKit } from '../../../src/ship/kit/kit.ts';
import { missingModels } from '../../../src/ship/kit/missing.ts';
import { runRecipe } from '../../../src/run/run.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { ROOT } from '../../support/built.ts';
import { DIGITS, QUICK } from '../../support/digits.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = temporaryFolder();

const RECIPE = {
  dataset: DIGITS,
  student: { model: 'mlp', hidden: [16] },
  distill: { epochs: 4, batchSize: 64 },
  ...QUICK,
};

interface Example {
  readonly label: string;
  readonly logits: readonly number[];
}

const CHROMIUM = findChromium();
const inChromium = CHROMIUM === undefined ? it.skip : it;

/** Finished runs, by what they exported. */
const runs = { onnx: '', both: '' };
const out = mkdtempSync(path.join(tmpdir(), 'limbeck-kit-'));
beforeAll(async () => {
  for (const [name, formats] of [
    ['onnx', ['onnx']],
    ['both', ['onnx', 'tflite']],
  ] as const)
    runs[name] = (await runRecipe(makeRecipe({ ...RECIPE, name, export: formats }, out), { out })).folder;
});
afterAll(() => rmSync(out, { recursive: true }));

const kit = () => path.join(folder(), 'kit');
const examplesOf = () => JSON.parse(readFileSync(path.join(kit(), 'example.json'), 'utf8')) as Example[];

/** What `npm install` in a sample's folder would bring. */
async function install(sample: string): Promise<string> {
  const at = path.join(kit(), 'samples', sample);
  await symlink(path.join(ROOT, 'node_modules'), path.join(at, 'node_modules'));
  return at;
}

it('holds models, labels, preparation, a card and samples, and leaves what it finds alone', async () => {
  const run = runs.both;
  const { files, skipped } = await writeKit(run, kit());
  expect(skipped).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['MODEL_CARD.md', 'README.md', 'labels.txt', 'preprocessing.json']));
  expect(files).toEqual(
    expect.arrayContaining(['models/scratch.onnx', 'models/scratch.tflite', 'samples/android/Classifier.kt']),
  );
  const card = readFileSync(path.join(kit(), 'MODEL_CARD.md'), 'utf8');
  for (const part of ['Files', 'Data', 'Teacher', 'Accuracy', 'Latency', 'Limits'])
    expect(card).toContain(`## ${part}`);
  expect(card).toMatch(/\| scratch\.tflite \| \d+\.\d+ % \| \d+\.\d+ % \|/);
  expect(examplesOf().map(({ label }) => label)).toEqual(['0', '1', '2', '3', '4']);

  // The program in Node, as its README says to start it.
  const at = await install('node');
  const node = spawnSync(process.execPath, ['classify.mjs'], { cwd: at, encoding: 'utf8' });
  expect(node.stderr).toBe('');
  expect(node.status).toBe(0);
  expect(
    node.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]),
  ).toEqual(examplesOf().map(({ logits }) => String(logits.indexOf(Math.max(...logits)))));
  await expect(writeKit(run, kit())).rejects.toThrow(/expected a new or empty folder/);
  await writeFile(path.join(kit(), 'labels.txt'), 'mine');
  await writeKit(run, kit(), { force: true });
  expect(readFileSync(path.join(kit(), 'labels.txt'), 'utf8')).toBe('0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n');
});

it('fails in Node where the model is not the one of the examples', async () => {
  await writeKit(runs.onnx, kit());
  const examples = examplesOf().map((one) => ({ ...one, logits: one.logits.map((value) => value + 1) }));
  await writeFile(path.join(kit(), 'example.json'), JSON.stringify(examples));
  const { status, stderr } = spawnSync(process.execPath, ['classify.mjs'], {
    cwd: await install('node'),
    encoding: 'utf8',
  });
  expect(stderr).toContain('not the logits');
  expect(status).toBe(1);
});

it('makes what the run did not export of its float model', async () => {
  const { files, skipped } = await writeKit(runs.onnx, kit());
  expect(skipped).toEqual([]);
  const models = ['scratch.onnx', 'scratch.tflite', 'scratch-int8.onnx', 'scratch-int8.tflite'];
  expect(files).toEqual(
    expect.arrayContaining([...models.map((name) => `models/${name}`), 'samples/browser/litert.html']),
  );
  const card = readFileSync(path.join(kit(), 'MODEL_CARD.md'), 'utf8');
  expect(card).toMatch(/\| models\/scratch-int8\.tflite \| int8 \|.*\| 1\.14\.0 \|/);
  expect(card).toMatch(/\n- scratch-int8\.tflite runs in TensorFlow Lite 1\.14\.0 and later, for .*FULLY_CONNECTED v4/);
  expect(card).toMatch(/\| models\/scratch-int8\.onnx \| int8 \|.*\| {2}\|/);
  for (const name of models) {
    expect(card).toMatch(new RegExp(`\\| ${name} \\| \\d+\\.\\d+ % \\|`));
    expect(card).toContain(`- ${name}: the class of the training graph on`);
  }
  const { models: listed } = JSON.parse(readFileSync(path.join(kit(), 'preprocessing.json'), 'utf8')) as {
    models: { file: string; precision: string; sizeBytes: number }[];
  };
  expect(listed.map(({ file }) => path.basename(file)).sort()).toEqual([...models].sort());
  for (const { file, sizeBytes } of listed) expect(readFileSync(path.join(kit(), file)).length).toBe(sizeBytes);
});

it('takes the float model of a run that trained for int8, and ships it beside the int8 one', async () => {
  const quantize = [{ method: 'qat', samples: 64, maxDrop: 100, qat: { epochs: 1 } }];
  const recipe = { ...RECIPE, name: 'qat', export: ['onnx', 'tflite'], quantize };
  const run = (await runRecipe(makeRecipe(recipe, out), { out })).folder;
  const { files } = await writeKit(run, kit());
  expect(files.filter((file) => file.startsWith('models/'))).toEqual([
    'models/scratch-int8-qat.onnx',
    'models/scratch-int8-qat.tflite',
    'models/scratch-int8-qat.usual.json',
    'models/scratch.onnx',
    'models/scratch.tflite',
    'models/scratch.usual.json',
  ]);
  // The examples' logits are those of the float model.
  const { models } = JSON.parse(readFileSync(path.join(kit(), 'preprocessing.json'), 'utf8')) as {
    models: { file: string; precision: string }[];
  };
  expect(models[0]).toMatchObject({ file: 'models/scratch.onnx', precision: 'fp32' });
});

it('makes no file that the run refused, and none without the float model', async () => {
  const scratch = { role: 'scratch', repeat: 0 } as const;
  const { recipe } = await storedRecipe(runs.onnx);
  const { validation } = await loadData(recipe);
  const rows = (await finishedReport(runs.onnx))!.models.filter(({ file }) => file?.endsWith('scratch.onnx'));
  const quantize = [{ scheme: 'int8', calibrator: 'minmax', samples: 64 }];
  const { recipe: strict } = makeRecipe({ ...RECIPE, name: 'onnx', export: ['onnx'], quantize }, out);
  const { models, skipped } = await missingModels(runs.onnx, scratch, rows, strict, validation);
  expect(models.map(({ row }) => row.id)).toEqual(['scratch-tflite', 'scratch-int8-tflite']);
  expect(skipped).toEqual([
    { what: 'models/scratch-int8.onnx', why: expect.stringContaining('did not keep the file') as string },
  ]);
  const none = await missingModels(runs.onnx, scratch, [], recipe, validation);
  expect(none.models).toEqual([]);
  expect(none.skipped).toHaveLength(4);
});

it('says which models there are', async () => {
  const run = runs.onnx;
  await mkdir(path.join(folder(), 'empty'));
  await expect(writeKit(run, path.join(folder(), 'empty'), { model: 'scrath' })).rejects.toMatchObject({
    hint: 'Did you mean scratch?',
  });
  expect(await readdir(path.join(folder(), 'empty'))).toEqual([]);
});

/** The kit's server as its README says to start it, with the address that it prints. */
async function serve(): Promise<{ address: string; stop: () => void }> {
  const server = spawn(process.execPath, ['serve.mjs', '0'], { cwd: await install('browser') });
  const address = await new Promise<string>((resolve) =>
    server.stdout.once('data', (data: Buffer) => resolve(String(data).trim())),
  );
  return { address, stop: () => void server.kill() };
}

it('serves a page under the address that it prints, and goes on after addresses that are none', async () => {
  await writeKit(runs.both, kit());
  const { address, stop } = await serve();
  const status = async (at: string): Promise<number | undefined> => {
    const { hostname, port } = new URL(address);
    const request = get({ hostname, port, path: at });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  try {
    for (const none of ['/%', '/%E0%A4%A', '//', '/nothing', '/../../../etc/passwd'])
      expect([none, await status(none)]).toEqual([none, 404]);
    const page = await fetch(address);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(await page.text()).toContain('./index.js');
  } finally {
    stop();
  }
});

inChromium(
  `gives the same in a browser, in LiteRT.js and in ONNX Runtime Web${CHROMIUM ? '' : ' (skipped: no Chromium here)'}`,
  async () => {
    await writeKit(runs.onnx, kit());
    const { address, stop } = await serve();
    const { chromium } = createRequire(import.meta.url)('playwright-core') as typeof Playwright;
    const browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
    try {
      const tab = await browser.newPage();
      await tab.goto(address);
      await tab.waitForSelector('a');
      const pages = await tab.evaluate<string[]>("[...document.querySelectorAll('a')].map(({ href }) => href)");
      expect(pages).toHaveLength(4);
      for (const page of pages) {
        await tab.goto(page);
        await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem', undefined, {
          timeout: 120_000,
        });
        const { results, problem } = await tab.evaluate<{ results?: string; problem?: string }>(
          '({ ...document.body.dataset })',
        );
        expect(problem).toBeUndefined();
        const given = JSON.parse(results!) as Example[];
        examplesOf().forEach(({ logits }, i) => {
          // What 8 bits may cost; a model that was given something else is off by much more.
          const scale = Math.max(...logits.map(Math.abs));
          const tolerance = page.includes('int8') ? 0.1 * scale : 1e-3;
          const largest = Math.max(...logits.map((value, c) => Math.abs(given[i]!.logits[c]! - value)));
          expect(largest).toBeLessThan(tolerance);
        });
      }
    } finally {
      await browser.close();
      stop();
    }
  },
);
