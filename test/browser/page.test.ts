import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { parseReport } from '../../src/report/read.ts';
import { classifier, echo, sumAndDifference, tagger } from '../serve/models.ts';
import sharp from 'sharp';
import { middleDetector, SIDE } from '../support/coloured-boxes.ts';
import { boxColour, maskColour } from '../../src/report/mask-colours.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { ROOT, start } from '../support/built.ts';
import { DIGITS } from '../support/digits.ts';
import { DOTS, plainPicture, pointer, POINTER_SIDE } from '../support/dots.ts';
import { colourSegmenter, SHAPES, SIZE } from '../support/shapes.ts';
import { wavFile } from '../support/sound.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TOKEN = '0123456789abcdef-token';
const SIZES = [
  [390, 'dark'],
  [1280, 'light'],
] as const;

let axe: string;
let browser: Browser;
let folder: string;

/** Use a page of its own; returns everything odd that it said or asked for. */
async function open(
  url: string,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<string[]> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const odd: string[] = [];
  page.on('console', (message) => void odd.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => void odd.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL('/', url).href) && !request.url().startsWith('blob:'))
      odd.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  await use(page);
  await context.close();
  return odd;
}

/** By the selector alone: functions that are sent to the page are against its policy. */
async function atLeast(page: Page, count: number, selector: string): Promise<void> {
  await page
    .locator(selector)
    .nth(count - 1)
    .waitFor({ state: 'attached' });
}

async function expectAccessible(page: Page, width: number): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))");
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  await page.evaluate(axe);
  const found = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"], iframes: false })');
  const shown = ({ id, nodes }: AxeResults['violations'][number]) =>
    `${id}: ${nodes[0]!.html}: ${nodes[0]!.failureSummary ?? ''}`;
  expect(found.violations.map(shown)).toEqual([]);
}

/** Start a command and wait for what it says. */
async function started(args: readonly string[], said: RegExp) {
  const { child, finished, output } = start(folder, args);
  let errors = '';
  child.stderr.on('data', (data) => (errors += String(data)));
  for (let i = 0; !said.test(output()); i++) {
    if (i > 1200 || child.exitCode !== null) throw new Error(`${args[0]!}: ${output()} ${errors}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { child, finished, url: said.exec(output())![1]! };
}

(BROWSER === undefined ? describe.skip : describe)(`pages, in Chromium${NO_BROWSER}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'limbeck-page-'));
    axe = await readFile(AXE, 'utf8');
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe('of a server', () => {
    let server: Awaited<ReturnType<typeof started>>;

    beforeAll(async () => {
      const run = path.join(folder, 'fashion');
      await cp(path.join(ROOT, 'checkpoints/fashion-mnist-teacher'), run, { recursive: true });
      await cp(path.join(ROOT, 'checkpoints/fashion-mnist-first-teacher/teacher.onnx'), path.join(folder, 'bare.onnx'));
      await writeFile(path.join(folder, 'animals.onnx'), classifier());
      await writeFile(path.join(folder, 'pair.onnx'), sumAndDifference());
      await writeFile(path.join(folder, 'tokens'), `${TOKEN}\n`);
      const models = ['student=fashion/exports/distilled.onnx', 'bare=bare.onnx', 'animals.onnx', 'pair.onnx'];
      const args = ['serve', ...models, '--port', '0', '--workers', '1', '--token-file', 'tokens'];
      server = await started(args, /at (http:\S+)\/v2/);
    });
    afterAll(async () => {
      server?.child.kill('SIGTERM');
      await server?.finished;
    });

    async function enter(page: Page): Promise<void> {
      await page.fill('#token', TOKEN);
      await page.keyboard.press('Enter');
      await page.waitForSelector('canvas.paper');
    }

    /** A thick cross over the drawing area. */
    async function draw(page: Page): Promise<void> {
      const box = (await page.locator('canvas.paper').boundingBox())!;
      await page.mouse.move(box.x + 0.2 * box.width, box.y + 0.2 * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.8 * box.width, box.y + 0.8 * box.height, { steps: 5 });
      await page.mouse.up();
    }

    const said = (page: Page): Promise<string> => page.locator('.said').innerText();

    it('asks for the token, once more where it is wrong, and forgets it with the page', async () => {
      const odd = await open(server.url, {}, async (page) => {
        await page.fill('#token', 'another token, not this one');
        await page.keyboard.press('Enter');
        await page.waitForSelector('[role=alert]');
        await expectAccessible(page, 1280);
        await enter(page);
        expect(await page.innerText('h1')).toBe('4 models answer here');
        expect(
          await page.evaluate('JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])'),
        ).toBe('["",{},{}]');
        await page.reload();
        await page.waitForSelector('#token');
      });
      expect(odd.filter((line) => !/401/.test(line))).toEqual([]);
    });

    it.each(SIZES)(
      '%i px wide, %s: has no axe violation, no error, no scroll bar at the bottom',
      async (width, scheme) => {
        const odd = await open(server.url, { viewport: { width, height: 844 }, colorScheme: scheme }, async (page) => {
          await enter(page);
          await draw(page);
          await atLeast(page, 10, '.bars li');
          await atLeast(page, 1, 'figure.chart b');
          await expectAccessible(page, width);
        });
        expect(odd.filter((line) => !/401/.test(line))).toEqual([]);
      },
    );

    it('shows models with what is known of them', async () => {
      await open(server.url, {}, async (page) => {
        await enter(page);
        const report = parseReport(await readFile(path.join(folder, 'fashion/report.json'), 'utf8'), 'report.json');
        const { score } = report.models.find(({ id }) => id === 'distilled')!;
        const card = await page.locator('.card', { hasText: 'student' }).first().innerText();
        for (const text of [
          `${(100 * score.test!).toFixed(2)} %`,
          '2.77 MB',
          'Ankle boot',
          'input FP32 [any × 28 × 28 × 1]',
          '1/255',
        ])
          expect(card).toContain(text);
        expect(await page.locator('.card').count()).toBe(4);
      });
    });

    it('shows what models that take the same say, side by side, of a drawing and of a picture', async () => {
      await open(server.url, {}, async (page) => {
        await enter(page);
        await draw(page);
        await atLeast(page, 10, '.panel-answer .bars li');
        const panels = await page.locator('.panel-answer').allInnerTexts();
        expect(panels.map((text) => text.split('\n')[0])).toEqual(['student', 'bare']);
        expect(panels[1]).toContain('Its file does not say how pictures are prepared: here as for student.');
        expect(await said(page)).toMatch(/^(Both say .*|They differ: student says .*, bare says .*)\.$/);
        await page.click('text=Clear');
        expect(await said(page)).toBe('Draw something, large and in the middle.');

        // The file as it is, so that the page says what the server says of it.
        await page.click('label:text-is("Picture")');
        const picture = path.join(ROOT, 'docs/report.png');
        await page.setInputFiles('#file', picture);
        await atLeast(page, 10, '.panel-answer .bars li');
        const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'image/png' };
        const answer = await fetch(`${server.url}/v1/student`, {
          method: 'POST',
          headers,
          body: await readFile(picture),
        });
        const { predictions } = (await answer.json()) as { predictions: { label: string; probability: number }[] };
        const first = (await page.locator('.panel-answer .bars li').first().innerText()).split('\n');
        expect(first).toEqual([predictions[0]!.label, `${(100 * predictions[0]!.probability).toFixed(1)} %`]);
      });
    });

    it('draws with the keyboard, takes numbers of a table, and tensors', async () => {
      await open(server.url, {}, async (page) => {
        await enter(page);
        await page.focus('canvas.paper');
        await page.keyboard.press('Space');
        for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown');
        await atLeast(page, 10, '.bars li');
        await page.click('label:has-text("4 numbers: animals")');
        await page.waitForSelector('#row');
        await page.fill('#row', '1, 2, 3, x');
        expect(await page.innerText('[role=alert]:visible')).toBe('Expected 4 numbers, received 3.');
        await page.fill('#row', '1, 2, 3, 4');
        await atLeast(page, 3, '.bars li');
        expect(await page.inputValue('#value2')).toBe('3');
        expect(await said(page)).toMatch(/^(cat|dog|hen)\.$/);
        await page.click('label:has-text("tensors a, b: pair")');
        await page.fill('#tensor0', '1, 2');
        await page.fill('#tensor1', '10');
        await page.click('text=Ask >> nth=0');
        await page.waitForSelector('.bars pre');
        expect(await page.innerText('.bars pre')).toBe('sum FP32 [1 × 2]\n11, 12\n\ndifference FP32 [1 × 2]\n-9, -8');
      });
    });

    it('draws its metrics, drift too where there is one, and tells them to a screen reader by the arrow keys', async () => {
      await open(server.url, {}, async (page) => {
        let drift = 0.1;
        await page.route('**/metrics', async (route) => {
          const response = await route.fetch();
          const more = `# HELP limbeck_serve_drift_psi Drift of the answers\n# TYPE limbeck_serve_drift_psi gauge\nlimbeck_serve_drift_psi{model="student"} ${(drift += 0.1)}\n`;
          await route.fulfill({ response, body: (await response.text()) + more });
        });
        await enter(page);
        await draw(page);
        await page.waitForSelector('figure.chart:has-text("Drift of the answers") b');
        const latency = page.locator('svg[role=slider]').first();
        await page.waitForSelector('svg[role=slider][aria-valuetext*=" ms"]');
        await latency.focus();
        await page.keyboard.press('Home');
        expect(await latency.getAttribute('aria-valuenow')).toBe('0');
        expect(await latency.getAttribute('aria-valuetext')).toMatch(/^(\d+ s ago|now): student .*, animals no value/);
        expect(await page.locator('figure.chart').count()).toBe(6);
        expect(await page.locator('figure.chart:has-text("Drift")').innerText()).toMatch(/student 0\.\d/);
        await page.unrouteAll({ behavior: 'ignoreErrors' });
      });
    });

    it('describes its API', async () => {
      const odd = await open(`${server.url}/api`, { viewport: { width: 390, height: 844 } }, async (page) => {
        await page.fill('#token', TOKEN);
        await page.keyboard.press('Enter');
        await page.waitForSelector('.op');
        expect(await page.locator('.op code').allInnerTexts()).toContain('/v1/student');
        await expectAccessible(page, 390);
      });
      expect(odd.filter((line) => !/401/.test(line))).toEqual([]);
    });
  });

  it('of a server take texts, pairs, rows with words and sounds', async () => {
    const form = { tokenizer: 'bytes', texts: 1, length: 4, truncate: 'end', vocabulary: 257, padding: 0 };
    const columns = [{ name: 'island', words: ['Biscoe', 'Dream'] }, { name: 'mass' }, { name: 'seen', date: ['days', 'month', 'day', 'weekday'] }]; // prettier-ignore
    const models = {
      text: echo([4], { text: form }),
      pair: echo([4], { text: { ...form, texts: 2 } }),
      row: echo([7], { columns }),
      sound: echo([2000, 1], { sound: { rate: 8000 } }),
      tags: tagger(4, 2, new Map(Object.entries({ ...{ task: 'tagging', output: 'logits' }, targets: '["NOUN","VERB"]', text: JSON.stringify(form) }))), // prettier-ignore
    };
    for (const [name, bytes] of Object.entries(models)) await writeFile(path.join(folder, `${name}.onnx`), bytes);
    await writeFile(path.join(folder, 'four.wav'), wavFile([0.5, -0.5, 0.25, 0], { rate: 8000, tag: 3, bits: 32 }));
    const files = Object.keys(models).map((name) => `${name}.onnx`);
    const server = await started(['serve', ...files, '--port', '0', '--workers', '1'], /at (http:\S+)\/v2/);
    const phone = { viewport: { width: 390, height: 844 } };
    const odd = await open(server.url, { ...phone, permissions: ['microphone'] }, async (page) => {
      const answer = async (text: string): Promise<void> => {
        await page.locator('.bars pre', { hasText: text }).waitFor();
        await expectAccessible(page, 390);
      };
      await page.fill('#text0', 'né');
      await answer('value 0: 111\nvalue 1: 196\nvalue 2: 170\nvalue 3: 0');
      await page.click('label:has-text("pairs of texts: pair")');
      await page.fill('#text0', 'a');
      await page.fill('#text1', 'b');
      await page.waitForSelector('.bars pre');
      await page.click('label:has-text("texts to tag: tags")');
      await page.fill('#text0', 'a b cd');
      await page.locator('.bars mark').nth(1).waitFor();
      expect(await page.locator('.bars mark').allTextContents()).toEqual(
        ['a', 'b'].map((word) => expect.stringMatching(new RegExp(`^${word}(NOUN|VERB)$`)) as string),
      );
      expect(await page.locator('.bars .caution').textContent()).toContain('1 word has no tag');
      await expectAccessible(page, 390);
      await page.click('label:has-text("rows of 3 columns: row")');
      await answer('value 0: 1\nvalue 1: 0\nvalue 2: 0');
      await page.selectOption('#column0', 'Dream');
      await page.fill('#column1', '3.5');
      await answer('value 0: 0\nvalue 1: 1\nvalue 2: 3.5');
      await page.selectOption('#column0', '');
      await answer('value 0: 0\nvalue 1: 0\nvalue 2: 3.5\nvalue 3: 0\nvalue 4: 1\nvalue 5: 1\nvalue 6: 3');
      await page.fill('#column2', '2024-02-29');
      await answer('value 3: 19782\nvalue 4: 2\nvalue 5: 29\nvalue 6: 3');
      await page.fill('#column2', '');
      await page.locator('.caution', { hasText: 'Fill in every field.' }).waitFor();
      await page.click('label:has-text("sounds: sound")');
      await page.setInputFiles('#file', path.join(folder, 'four.wav'));
      await answer('value 998: 0.5\nvalue 999: -0.5\nvalue 1000: 0.25\nvalue 1001: 0');
      // What a browser records is no WAV file: the page makes one of it. Chromium's own microphone for tests beeps.
      await page.click('label:text-is("Microphone")');
      await page.click('button:text-is("Record 0.25 s")');
      await answer('value 1999: ');
    }).finally(async () => {
      server.child.kill('SIGTERM');
      await server.finished;
    });
    expect(odd).toEqual([]);
  });

  it('of a server draw the mask over a picture, and over what a camera sees', async () => {
    const preprocessing = { shape: [SIZE, SIZE, 3], scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
    const stated = { task: 'segmentation', output: 'logits', targets: JSON.stringify(SHAPES) };
    const bytes = colourSegmenter({ ...stated, preprocessing: JSON.stringify(preprocessing) });
    await writeFile(path.join(folder, 'masks.onnx'), bytes);
    const pixels = Uint8Array.from({ length: 96 * 128 * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 128, Math.floor(i / 384)];
      return (Math.hypot(x - 64, y - 48) < 30 ? [200, 60, 40] : [40, 60, 200])[i % 3]!;
    });
    const picture = path.join(folder, 'disc.png');
    await sharp(pixels, { raw: { width: 128, height: 96, channels: 3 } })
      .png()
      .toFile(picture);
    const server = await started(['serve', 'masks.onnx', '--port', '0', '--workers', '1'], /at (http:\S+)\/v2/);
    const phone = { viewport: { width: 390, height: 844 } };
    const odd = await open(server.url, { ...phone, permissions: ['camera'] }, async (page) => {
      const masked = page.locator('canvas.masked');
      const labels = page.locator('.bars .label');
      await page.click('label:text-is("Picture")');
      await page.setInputFiles('#file', picture);
      await masked.waitFor();
      expect(await labels.allTextContents()).toEqual(['ground', 'disc']);
      // Half the colour of the picture, half that of its class, in the middle and in a corner.
      const colours = await page.evaluate(
        "(() => { const canvas = document.querySelector('canvas.masked'); const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); const of = (x, y) => [...data.slice(4 * (y * canvas.width + x)).slice(0, 3)]; return [canvas.width, canvas.height, of(64, 48), of(2, 2)]; })()",
      );
      const mixed = (own: readonly number[], c: number): unknown =>
        own.map((value, i) => expect.closeTo((value + maskColour(c)[i]!) / 2, -1) as number);
      expect(colours).toEqual([128, 96, mixed([200, 60, 40], 1), mixed([40, 60, 200], 0)]);
      await expectAccessible(page, 390);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'page.png'), fullPage: true });
      await page.click('label:text-is("Camera")');
      await masked.waitFor({ state: 'detached' });
      await page.click('button:text-is("Start the camera")');
      await masked.waitFor();
      expect(await labels.count()).toBeGreaterThan(0);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'camera.png'), fullPage: true });
    }).finally(async () => {
      server.child.kill('SIGTERM');
      await server.finished;
    });
    expect(odd).toEqual([]);
  });

  it('of a server draw boxes over a picture, and over what a camera sees', async () => {
    const preprocessing = { shape: [SIDE, SIDE, 3], fit: 'letterbox', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
    const fields = [
      { name: 'boxes', shape: [1, 4] },
      { name: 'scores', shape: [1, 2] },
    ];
    const stated = { task: 'detection', output: 'logits', targets: '["cat","dog"]', fields: JSON.stringify(fields) };
    const bytes = middleDetector({ ...stated, preprocessing: JSON.stringify(preprocessing) });
    await writeFile(path.join(folder, 'boxes.onnx'), bytes);
    const picture = path.join(folder, 'wide.png');
    await sharp({ create: { width: 128, height: 96, channels: 3, background: { r: 40, g: 60, b: 200 } } })
      .png()
      .toFile(picture);
    const server = await started(['serve', 'boxes.onnx', '--port', '0', '--workers', '1'], /at (http:\S+)\/v2/);
    const phone = { viewport: { width: 390, height: 844 } };
    const odd = await open(server.url, { ...phone, permissions: ['camera'] }, async (page) => {
      const boxed = page.locator('canvas.masked');
      const labels = page.locator('.bars .label');
      await page.click('label:text-is("Picture")');
      await page.setInputFiles('#file', picture);
      await boxed.waitFor();
      expect(await labels.allTextContents()).toEqual(['dog']);
      // On the left side of the box, in its middle, and beside the picture where the model sees grey.
      const colours = await page.evaluate(
        `(() => { const of = (name, x, y) => { const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true }); copy.drawImage(document.querySelector(name), 0, 0); return [...copy.getImageData(x, y, 1, 1).data.slice(0, 3)]; }; return [of('canvas.masked', 32, 48), of('canvas.masked', 64, 48), of('canvas.seen', 2, 2), of('canvas.seen', 2, ${SIDE / 2})]; })()`,
      );
      expect(colours).toEqual([[...boxColour(1)], [40, 60, 200], [114, 114, 114], [40, 60, 200]]);
      await expectAccessible(page, 390);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'boxes.png'), fullPage: true });
      await page.click('label:text-is("Camera")');
      await boxed.waitFor({ state: 'detached' });
      await page.click('button:text-is("Start the camera")');
      await boxed.waitFor();
      expect(await labels.count()).toBe(1);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'boxes-camera.png'), fullPage: true });
    }).finally(async () => {
      server.child.kill('SIGTERM');
      await server.finished;
    });
    expect(odd).toEqual([]);
  });

  it('of a server draw points and their skeleton over a picture, and over what a camera sees', async () => {
    const shape = [POINTER_SIDE, POINTER_SIDE, 3];
    const preprocessing = { shape, fit: 'letterbox', scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
    const stated = { task: 'points', output: 'logits', targets: JSON.stringify(DOTS), skeleton: '[[0,1],[1,2]]' };
    const places = [[16, 32], [32, 40], [48, 32]] as const; // prettier-ignore
    await writeFile(path.join(folder, 'points.onnx'), pointer(places, { ...stated, preprocessing: JSON.stringify(preprocessing) })); // prettier-ignore
    const picture = path.join(folder, 'grey.png');
    await plainPicture(picture, { width: 128, height: 64 });
    const server = await started(['serve', 'points.onnx', '--port', '0', '--workers', '1'], /at (http:\S+)\/v2/);
    const phone = { viewport: { width: 390, height: 844 } };
    const odd = await open(server.url, { ...phone, permissions: ['camera'] }, async (page) => {
      const pointed = page.locator('canvas.masked');
      const said = page.locator('.bars li');
      await page.click('label:text-is("Picture")');
      await page.setInputFiles('#file', picture);
      await pointed.waitFor();
      // The middles of half pixels of the input, which is a quarter as wide and lets grey stand over and under the picture.
      expect(await said.allInnerTexts()).toEqual(['red\n33, 33', 'green\n65, 49', 'blue\n97, 33']);
      const colours = await page.evaluate(
        `(() => { const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true }); Object.assign(copy.canvas, { width: 128, height: 64 }); copy.drawImage(document.querySelector('canvas.masked'), 0, 0); return [[33, 33], [65, 49], [97, 33], [49, 41], [10, 10]].map(([x, y]) => [...copy.getImageData(x, y, 1, 1).data.slice(0, 3)]); })()`,
      );
      expect(colours).toEqual([...[0, 1, 2, 1].map((k) => [...boxColour(k)]), [120, 120, 120]]);
      await expectAccessible(page, 390);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'points.png'), fullPage: true });
      await page.click('label:text-is("Camera")');
      await pointed.waitFor({ state: 'detached' });
      await page.click('button:text-is("Start the camera")');
      await pointed.waitFor();
      expect(await said.count()).toBe(3);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'points-camera.png'), fullPage: true });
    }).finally(async () => {
      server.child.kill('SIGTERM');
      await server.finished;
    });
    expect(odd).toEqual([]);
  });

  it('of a server compare texts and pictures with each other by their vectors', async () => {
    const form = { tokenizer: 'bytes', texts: 1, length: 4, truncate: 'end', vocabulary: 257, padding: 0 };
    const preprocessing = { shape: [2, 2, 3], scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
    await writeFile(path.join(folder, 'sentences.onnx'), echo([4], { text: form }, 'embedding'));
    await writeFile(path.join(folder, 'colours.onnx'), echo([2, 2, 3], { preprocessing }, 'embedding'));
    const colours = { red: [200, 0, 0], orange: [200, 100, 0], blue: [0, 0, 200] };
    const files = await Promise.all(
      Object.entries(colours).map(async ([name, [r, g, b]]) => {
        const file = path.join(folder, `${name}.png`);
        const background = { r: r!, g: g!, b: b! };
        await sharp({ create: { width: 40, height: 30, channels: 3, background } })
          .png()
          .toFile(file);
        return file;
      }),
    );
    const args = ['serve', 'sentences.onnx', 'colours.onnx', '--port', '0', '--workers', '1'];
    const server = await started(args, /at (http:\S+)\/v2/);
    const odd = await open(server.url, { viewport: { width: 390, height: 844 } }, async (page) => {
      const said = page.locator('.said');
      const cells = page.locator('.alike td');
      await page.click('label:has-text("texts to compare: sentences")');
      await page.fill('#texts', 'abcd\n\nabce\nz');
      await said.filter({ hasText: 'Most alike: abcd and abce, 1.00.' }).waitFor();
      expect(await cells.count()).toBe(9);
      await page.fill('#texts', 'abcd');
      await said.filter({ hasText: 'Add a second sample' }).waitFor();
      await page.click('label:has-text("to compare: colours")');
      await page.setInputFiles('#file', files.slice(0, 1));
      await page.setInputFiles('#file', files.slice(1));
      await said.filter({ hasText: 'Most alike: red.png and orange.png, 0.89.' }).waitFor();
      expect(await cells.allTextContents()).toEqual(['–', '0.89', '0.00', '0.89', '–', '0.00', '0.00', '0.00', '–']);
      expect(await page.locator('.alike canvas').count()).toBe(3);
      await expectAccessible(page, 390);
      if (process.env['LIMBECK_SHOTS'] !== undefined)
        await page.screenshot({ path: path.join(process.env['LIMBECK_SHOTS'], 'alike.png'), fullPage: true });
      await page.click('button:text-is("Clear")');
      await cells.first().waitFor({ state: 'detached' });
    }).finally(async () => {
      server.child.kill('SIGTERM');
      await server.finished;
    });
    expect(odd).toEqual([]);
  });

  it('of a run shows curves while it goes, and the report at its end', async () => {
    const train = { model: 'mlp', hidden: [16], epochs: 4, batchSize: 128 };
    const recipe = {
      ...{ name: 'r', dataset: DIGITS, teacher: { train }, student: { model: 'mlp', hidden: [8] }, threads: 1 },
      ...{ distill: { epochs: 12, batchSize: 128 }, export: ['onnx'], report: { latency: { seconds: 1 } } },
    };
    await writeFile(path.join(folder, 'r.yaml'), JSON.stringify(recipe));
    const run = await started(['run', 'r.yaml', '--page'], /page at (\S+)/);
    const odd = await open(run.url, { viewport: { width: 390, height: 844 } }, async (page) => {
      await page.waitForSelector('#curves svg[role=slider] path[stroke-width]');
      expect(await page.innerText('h1')).toBe('r');
      await expectAccessible(page, 390);
      expect((await run.finished).code).toBe(0);
      // The process is gone, and the page has it all.
      const frame = page.frameLocator('iframe');
      expect(await frame.locator('h1').innerText()).toBe('r');
      expect(await page.innerText('#state')).toBe('finished');
      expect(await page.locator('#stages tbody th').allInnerTexts()).toContain('distill\ndistilling the student');
      await expectAccessible(page, 390);
    });
    expect(odd).toEqual([]);
  });
});
