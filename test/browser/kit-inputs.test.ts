import { readFileSync } from 'node:fs';
import path from 'node:path';
import { BROWSER, launch, NO_BROWSER } from '../support/browser.ts';
import { temporaryFolder } from '../support/folder.ts';
import { servedKit } from '../support/kit-pages.ts';
import { runOfArrays, runOfTexts } from '../support/several-inputs.ts';

const folder = temporaryFolder();

interface Example {
  readonly text?: readonly string[];
  readonly inputs?: object;
  readonly logits: readonly number[];
}

(BROWSER === undefined ? it.skip : it).each([
  ['texts that become ids, mask and types', runOfTexts, ({ text }: Example) => text!.join('\n')],
  ['arrays by the names of the inputs', runOfArrays, ({ inputs }: Example) => JSON.stringify(inputs)],
] as const)(`the pages of a kit of several inputs take %s${NO_BROWSER}`, async (_, runOf, written) => {
  const { run } = await runOf(folder());
  const served = await servedKit(run, folder());
  const examples = JSON.parse(readFileSync(path.join(served.kit, 'example.json'), 'utf8')) as Example[];
  const browser = await launch();
  try {
    const tab = await browser.newPage();
    await tab.goto(served.address);
    await tab.waitForSelector('a');
    const links = await tab.evaluate<string[]>("[...document.querySelectorAll('a')].map(({ href }) => href)");
    expect(links).toHaveLength(4);
    for (const link of links) {
      await tab.goto(link);
      await tab.waitForFunction('document.body.dataset.results || document.body.dataset.problem');
      expect(await tab.evaluate('document.body.dataset.problem')).toBeUndefined();
      const given = JSON.parse(await tab.evaluate<string>('document.body.dataset.results')) as Example[];
      for (const [i, { logits }] of examples.entries()) {
        // What 8 bits may cost; a model that was given something else is off by much more.
        const tolerance = link.includes('int8') ? 0.1 * Math.max(...logits.map(Math.abs)) : 1e-3;
        const largest = Math.max(...logits.map((value, c) => Math.abs(given[i]!.logits[c]! - value)));
        expect([link, largest < tolerance]).toEqual([link, true]);
      }
      await tab.fill('textarea', written(examples[0]!));
      await tab.locator('textarea').blur();
      await tab.waitForFunction(`document.querySelectorAll('li').length === ${examples.length + 1}`);
      const [first, last] = [tab.locator('li').first(), tab.locator('li').last()];
      expect((await first.textContent())!.startsWith((await last.textContent())!)).toBe(true);
    }
  } finally {
    await browser.close();
    served.end();
  }
});
