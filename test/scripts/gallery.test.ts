import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/built.ts';

const run = promisify(execFile);
const gallery = (cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, [path.join(ROOT, 'scripts/gallery.mjs'), ...args], { cwd });

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'limbeck-gallery-'));
  cpSync(path.join(ROOT, 'recipes'), path.join(copy, 'recipes'), { recursive: true });
});
afterEach(() => rmSync(copy, { recursive: true }));
const at = (name: string): string => path.join(copy, 'recipes', name);

it('recipes/README.md and its charts are what npm run docs:gallery writes', async () => {
  await gallery(ROOT, '--check');
  writeFileSync(at('gallery/penguins.svg'), '');
  await expect(gallery(copy, '--check')).rejects.toThrow(
    'not as npm run docs:gallery writes them: recipes/gallery/penguins.svg',
  );
});

it('a recipe without a row is refused by name', async () => {
  writeFileSync(at('mine.yaml'), 'name: mine\n');
  await expect(gallery(copy)).rejects.toThrow('recipes without a row: [mine]');
});

it('a row whose recipe has changed since is named, a comment changes nothing, and a report of a new run mends it', async () => {
  const row = (): string => /^\| \[digits-csv\].*$/m.exec(readFileSync(at('README.md'), 'utf8'))![0];
  appendFileSync(at('digits-csv.yaml'), '# a comment\n');
  await gallery(copy);
  expect(row()).not.toContain('changed since');
  appendFileSync(at('digits-csv.yaml'), 'seed: 9\n');
  expect((await gallery(copy)).stdout).toMatch(/since their figures: .*digits-csv/);
  expect(row()).toContain('the recipe has changed since');

  const model = (id: string, test: number, sizeBytes: number): object => ({ id, score: { test }, sizeBytes });
  const models = [model('teacher', 0.9, 9000), model('scratch', 0.8, 2000), model('distilled', 0.8512, 2000)];
  const verdict = { result: 'BEATS', gain: 0.05, interval: [0.01, 0.09] };
  const machine = { cpu: 'CPU', cores: 2 };
  const report = { version: 3, name: 'digits-csv', status: 'complete', wallSeconds: 90, machine, models, verdict };
  const file = path.join(copy, 'report.json');
  writeFileSync(file, JSON.stringify({ ...report, score: { name: 'accuracy', unit: 'fraction' } }));
  await gallery(copy, '--report', file, '--page', path.join(copy, 'page'));
  const cells = row()
    .split('|')
    .map((cell) => cell.trim());
  expect(cells.slice(4, 10)).toEqual(['90.00', '80.00', '85.12', '2 kB: 85.12', 'BEATS, 5 (1 to 9)', '1.5']);
  expect(row()).not.toContain('changed since');
  expect(readFileSync(path.join(copy, 'page/index.html'), 'utf8')).toContain('<h2>digits-csv</h2><p>a CSV file');

  writeFileSync(file, JSON.stringify({ ...report, status: 'stopped', score: { name: 'accuracy', unit: 'fraction' } }));
  await expect(gallery(copy, '--report', file)).rejects.toThrow('expected a finished run');
});
