import { execFile } from 'node:child_process';
import { open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { compileTo } from './compile.ts';
import { temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const output = path.resolve(`node_modules/.cache/limbeck-csv-${process.pid}`);
afterAll(() => rm(output, { recursive: true, force: true }));

const ROWS = 12_000;
const COLUMNS = 784;

/** Prints what reading the file of argv[2] took, in MB: beyond the memory before, and the result itself. */
const SCRIPT = `
import { readCsv } from './data/readers/csv.js';
const before = process.resourceUsage().maxRSS;
const { samples, ids } = await readCsv(process.argv[2], { header: false, label: 0 });
const sum = samples.reduce((total, value) => total + value, 0);
const peak = (process.resourceUsage().maxRSS - before) / 1000;
console.log(JSON.stringify({ rows: ids.length, sum, peak, result: samples.byteLength / 1e6 }));
`;

describe('memory of the CSV reader', () => {
  it('stays bounded beside the result: a file larger than the whole heap', async () => {
    const file = path.join(folder.path, 'large.csv');
    const pixels = Array.from({ length: COLUMNS }, (_, i) => (i * 37) % 256);
    const handle = await open(file, 'w');
    for (let row = 0; row < ROWS; row += 500) {
      await handle.write(Array.from({ length: 500 }, (_, i) => `${i % 10},${pixels.join()}\n`).join(''));
    }
    const { size } = await handle.stat();
    await handle.close();
    expect(size).toBeGreaterThan(30e6);

    await compileTo(output, ['data/readers/csv']);
    await writeFile(path.join(output, 'main.js'), SCRIPT);
    // A 24 MB heap: the 9.4 million fields as strings alone would take ten times as much.
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--max-old-space-size=24',
      path.join(output, 'main.js'),
      file,
    ]);
    const { rows, sum, peak, result } = JSON.parse(stdout) as Record<'rows' | 'sum' | 'peak' | 'result', number>;
    expect(rows).toBe(ROWS);
    expect(sum).toBe(ROWS * pixels.reduce((total, value) => total + value, 0));
    expect(result).toBeCloseTo((ROWS * COLUMNS * 4) / 1e6);
    expect(peak).toBeLessThan(result + 100);
  });
});
