/**
 * Memory that reading a large CSV file takes: `npm run bench:csv -- [--megabytes 1000]`. The file is made in the temporary
 * folder, read by a process with a heap of 64 MB, and removed.
 */
import '../src/features.ts';
import { openSync, closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readCsv } from '../src/data/readers/csv.ts';
import { jsonOf } from './processes.ts';

const { values, positionals } = parseArgs({
  options: { megabytes: { type: 'string', default: '1000' } },
  allowPositionals: true,
});
if (positionals[0] === undefined) await measure(1e6 * Number(values.megabytes));
else await read(positionals[0]);

async function measure(wanted: number): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-bench-'));
  try {
    const file = path.join(folder, 'large.csv');
    const bytes = write(file, wanted);
    const found = await jsonOf(process.execPath, ['--max-old-space-size=64', import.meta.filename, file]);
    const { rows, seconds, resultMb, peakRssMb } = found as Record<string, number>;
    console.log(
      `${(bytes / 1e6).toFixed(0)} MB, ${rows} rows of 784 columns: peak RSS ${peakRssMb!.toFixed(0)} MB, ` +
        `of which the data itself ${resultMb!.toFixed(0)} MB; ${seconds!.toFixed(1)} s`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(file: string, wanted: number): number {
  const pixels = Array.from({ length: 784 }, (_, i) => (i * 37) % 256).join();
  const chunk = Array.from({ length: 1000 }, (_, i) => `${i % 10},${pixels}\n`).join('');
  const to = openSync(file, 'w');
  let bytes = 0;
  while (bytes < wanted) bytes += writeSync(to, chunk);
  closeSync(to);
  return bytes;
}

async function read(file: string): Promise<void> {
  const start = performance.now();
  const { samples, labels } = await readCsv(file, { header: false, label: 0 });
  const seconds = (performance.now() - start) / 1000;
  const [resultMb, peakRssMb] = [samples.byteLength / 1e6, process.resourceUsage().maxRSS / 1000];
  console.log(JSON.stringify({ rows: labels.values.length, seconds, resultMb, peakRssMb }));
}
