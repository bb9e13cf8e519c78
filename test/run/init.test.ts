import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';
import { sineTable } from '../support/sines.ts';
import type { Sines } from '../support/sines.ts';

const folder = temporaryFolder();
const SMALL = ['distill.epochs=1', 'teacher.train.epochs=8', 'report.latency.seconds=0', 'dataset.testFraction=0.3'];

it.each<[string, readonly string[], Sines['of'], object]>([
  [
    'numbers',
    ['price'],
    (a, b, c) => [900 + 40 * a + 20 * b - c],
    { why: 'price holds 300 different numbers', loss: 'mse' },
  ],
  [
    'labels',
    ['warm', 'wet'],
    (a, b, c) => [a > -0.6, b > c].map(Number),
    { why: 'warm, wet hold 0 and 1', loss: 'kd' },
  ],
])(
  'a recipe that limbeck init wrote for %s runs',
  async (_name, label, of, { why, loss }: { why?: string; loss?: string }) => {
    const sines = { task: 'regression', label, of, test: 0, learningRate: 0 } as const;
    await writeFile(path.join(folder(), 'data.csv'), sineTable(sines, 300, 0));
    const args = ['--type', 'csv', '--train', 'data.csv', '--label', label.join(',')];
    const made = await inProcess(folder(), 'init', ...args);
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining(why!)]);
    expect(await readFile(path.join(folder(), 'recipe.yaml'), 'utf8')).toContain(`loss: ${loss}`);
    const ran = await inProcess(folder(), 'run', 'recipe.yaml', ...SMALL.flatMap((change) => ['--set', change]));
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('distilled')]);
  },
);
