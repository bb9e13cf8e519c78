/**
 * `npm run docs:screenshot -- checkpoints/RUN/report.html`: the top of a report as the picture of the README,
 * docs/report.png. Needs Chromium: CHROME_PATH, or Debian's.
 */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const [report] = process.argv.slice(2);
if (report === undefined) throw new Error('name the report.html of a run');
const WIDTH = 1080;

const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
try {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 }, colorScheme: 'light' });
  await page.goto(pathToFileURL(resolve(report)).href);
  // The summary, the tiles, the chart of costs and the steps: what a reader looks for first.
  const end = await page.evaluate(`{
    const last = document.querySelector('#steps') ?? document.querySelector('#trade');
    Math.ceil(last.getBoundingClientRect().bottom + scrollY + 12);
  }`);
  const shot = await page.screenshot({ fullPage: true, clip: { x: 0, y: 0, width: WIDTH, height: end } });
  const picture = await sharp(shot).png({ palette: true, colours: 128, effort: 10 }).toBuffer();
  await writeFile(join(import.meta.dirname, '../docs/report.png'), picture);
  console.log(`docs/report.png: ${WIDTH}×${end}, ${(picture.length / 1000).toFixed(0)} kB`);
} finally {
  await browser.close();
}
