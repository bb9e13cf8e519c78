import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { reportHtml } from '../../src/report/html/page.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { DIGITS } from '../support/digits.ts';
import { everything } from '../report/everything.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const RECIPE = {
  name: 'r',
  dataset: DIGITS,
  teacher: { train: { model: 'mlp', hidden: [32], epochs: 2, batchSize: 128 } },
  student: { model: 'mlp', hidden: [8] },
  distill: { epochs: 2, batchSize: 128 },
  repeats: 2,
  quantize: { scheme: 'int8', method: 'ptq', samples: 64, maxDrop: 100 },
  export: ['onnx', 'tflite'],
  threads: 1,
  report: { latency: { seconds: 0.5, batchSizes: [1, 8], threads: [1] } },
};

(BROWSER === undefined ? describe.skip : describe)(`report.html of a run, in Chromium${NO_BROWSER}`, () => {
  let browser: Browser;
  let url: string;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'limbeck-browser-'));
    const made = await runRecipe(makeRecipe(RECIPE, folder), { out: folder });
    url = pathToFileURL(path.join(made.folder, 'report.html')).href;
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The page at a width, and everything that went wrong or was asked for while it was opened. */
  async function open(width: number, scheme: 'light' | 'dark', use: (page: Page) => Promise<void>): Promise<string[]> {
    const context = await browser.newContext({
      viewport: { width, height: 844 },
      colorScheme: scheme,
      bypassCSP: true,
    });
    const page = await context.newPage();
    const odd: string[] = [];
    page.on('console', (message) => void odd.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => void odd.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== url) odd.push(`asked for ${request.url()}`);
    });
    await page.goto(url);
    await use(page);
    await context.close();
    return odd;
  }

  it.each([
    [390, 'light'],
    [390, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('%i px wide, %s: has no axe violation, no error, no scroll bar at the bottom', async (width, scheme) => {
    const axe = await readFile(AXE, 'utf8');
    const odd = await open(width, scheme, async (page) => {
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBe(0);
      // Closed parts count too.
      await page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))");
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await page.evaluate(axe);
      const found = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
      const violations = found.violations.map(
        ({ id, nodes }) => `${id}: ${nodes[0]!.html}: ${nodes[0]!.failureSummary ?? ''}`,
      );
      expect(violations).toEqual([]);
    });
    expect(odd).toEqual([]);
  });

  it('shows every chart, drawn and in words', async () => {
    for (const width of [390, 1280]) {
      await open(width, 'light', async (page) => {
        // Phones show secondary sections once they are opened; wide screens have nothing to open.
        expect(await page.isVisible('#curves svg.chart >> visible=true')).toBe(width > 620);
        expect(await page.isVisible('.far > summary')).toBe(width <= 620);
        if (width <= 620) for (const part of await page.$$('.far > summary')) await part.click();
        const charts = await page.evaluate<[string, string, number][]>(`[...document.querySelectorAll('svg.chart')]
          .filter((chart) => chart.getBoundingClientRect().width > 0)
          .map((chart) => [chart.closest('section').id, chart.getAttribute('aria-label'), chart.getBoundingClientRect().height])`);
        const shown = (section: string): number => charts.filter(([id]) => id === section).length;
        expect(
          Object.fromEntries(
            ['trade', 'steps', 'verdict', 'latency', 'curves', 'calibration'].map((id) => [id, shown(id)]),
          ),
        ).toEqual({
          ...{ trade: 1, steps: 1, verdict: 1, latency: 2, curves: 2, calibration: 3 },
        });
        for (const [, label, height] of charts) {
          expect(label.length).toBeGreaterThan(40);
          expect(height).toBeGreaterThan(60);
        }
        for (const id of ['models', 'classes', 'agreement', 'facts', 'again'])
          expect(await page.$(`section#${id}`)).not.toBeNull();
      });
    }
  });

  it('changes cost and runtime with the keyboard, and tells the figures of a mark that has the focus', async () => {
    await open(1280, 'light', async (page) => {
      const title = () =>
        page.evaluate(
          "[...document.querySelectorAll('#trade .panel svg')].find((chart) => chart.getBoundingClientRect().width > 0).getAttribute('aria-label')",
        );
      const before = await title();
      await page.focus('#cost0');
      await page.keyboard.press('ArrowRight');
      const after = await title();
      expect(after).not.toBe(before);
      await page.focus('#runtime0');
      await page.keyboard.press('ArrowRight');
      expect(await title()).not.toBe(after);
      expect(await page.isChecked('#runtime1')).toBe(true);
      // From the radio buttons on to the first mark.
      await page.keyboard.press('Tab');
      const focused = await page.evaluate<[string, string]>(
        "[document.activeElement.getAttribute('aria-label'), getComputedStyle(document.activeElement.querySelector('.readout')).opacity]",
      );
      expect(focused).toEqual([expect.stringMatching(/: \d+\.\d\d % right(?: on average \(.+\))?, /), '1']);
    });
  });

  it('draws each scheme in colours of its own', async () => {
    const drawn: string[][] = [];
    for (const scheme of ['light', 'dark'] as const) {
      await open(1280, scheme, async (page) => {
        const colours = await page.evaluate<string[]>(`[...document.querySelectorAll('svg.chart :is([stroke], [fill])')]
          .flatMap((part) => ['stroke', 'fill'].filter((of) => part.hasAttribute(of)).map((of) => getComputedStyle(part)[of]))`);
        drawn.push([...new Set(colours)]);
      });
    }
    const [light, dark] = drawn as [string[], string[]];
    expect(light.length).toBeGreaterThan(5);
    expect(light.filter((colour) => dark.includes(colour) || colour === 'none')).toEqual([]);
  });

  it('keeps every text within its chart, and names of marks apart', async () => {
    for (const width of [390, 1280]) {
      await open(width, 'light', async (page) => {
        const odd = await page.evaluate<string[]>(`[...document.querySelectorAll('svg.chart')].flatMap((chart) => {
          const frame = chart.getBoundingClientRect();
          const texts = [...chart.querySelectorAll(':scope > text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
          const cut = texts.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
          const names = chart.closest('#trade') === null ? [] : texts.filter(([text]) => !/[%\\d]|accuracy|Point/.test(text));
          const over = names.filter(([, a], i) => names.slice(0, i).some(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1));
          return [...cut, ...over].map(([text]) => chart.closest('section').id + ': ' + text);
        })`);
        expect(odd).toEqual([]);
      });
    }
  });

  it('stays where it is whatever its names say', async () => {
    const file = path.join(folder, 'hostile.html');
    const classNames = [`<meta http-equiv="refresh" content="0;url=${url}">`, `"><a id=x autofocus href="${url}">`];
    const { boxes } = everything;
    await writeFile(file, reportHtml({ ...boxes!, dataset: { ...boxes!.dataset, classNames } }));
    const page = await browser.newPage();
    await page.goto(pathToFileURL(file).href);
    expect(await page.locator('#facts dd').first().textContent()).toContain(classNames[0]);
    expect(await page.locator('body meta, a:not(nav a)').count()).toBe(0);
    // A refresh after 0 seconds would have begun before these were drawn.
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
    expect(page.url()).toBe(pathToFileURL(file).href);
    await page.close();
  });

  it('prints without leaving anything out', async () => {
    await open(800, 'dark', async (page) => {
      await page.emulateMedia({ media: 'print', colorScheme: 'light' });
      expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(30_000);
      const scrolls = await page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter((part) => getComputedStyle(part).overflowX !== 'visible').length",
      );
      expect(scrolls).toBe(0);
    });
  });
});
