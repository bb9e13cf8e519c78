import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { start } from '../support/built.ts';
import { DIGITS } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Most that memory may grow between step 2,000 and the end: the collector of JavaScript alone moves by as much. */
const MOST_GROWTH = 24e6;

/** Notes the resident memory ten times a second. */
const preload = (file: string): string => `
  import { appendFileSync } from 'node:fs';
  setInterval(() => appendFileSync(${JSON.stringify(file)}, Date.now() + ' ' + process.memoryUsage.rss() + '\\n'), 100).unref();`;

interface Line {
  readonly event: string;
  readonly stage: string;
  readonly step: number;
  readonly timestamp: string;
}

it('10,000 steps with a teacher asked at each, augmentation and an average of the weights take no more memory than 2,000', async () => {
  const recipe = {
    name: 'long',
    dataset: { ...DIGITS, augment: [{ shift: 1 }] },
    teacher: { train: { model: 'mlp', hidden: [16], epochs: 1, batchSize: 64 } },
    student: { model: 'mlp', hidden: [32] },
    baseline: false,
    distill: { epochs: 124, batchSize: 16, ema: 0.99, softTargets: { store: 'live' } },
    threads: 1,
    report: { latency: { seconds: 0 } },
  };
  await writeFile(path.join(folder(), 'long.yaml'), JSON.stringify(recipe));
  const memory = path.join(folder(), 'memory');
  const { code, stderr } = await start(folder(), ['run', 'long.yaml'], preload(memory)).finished;
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('Error')]);
  const log = (await readFile(path.join(folder(), 'checkpoints/long/log.jsonl'), 'utf8')).trim().split('\n');
  const epochs = log
    .map((line) => JSON.parse(line) as Line)
    .filter(({ event, stage }) => event === 'epoch' && stage === 'distill');
  expect(epochs.at(-1)!.step).toBeGreaterThanOrEqual(10_000);
  const timeOf = (step: number): number => Date.parse(epochs.find((epoch) => epoch.step >= step)!.timestamp);
  const samples = (await readFile(memory, 'utf8')).trim().split('\n').map((line) => line.split(' ').map(Number) as [number, number]); // prettier-ignore
  const most = (from: number, to: number): number =>
    Math.max(...samples.flatMap(([time, bytes]) => (time >= timeOf(from) && time <= timeOf(to) ? [bytes] : [])));
  const [before, after] = [most(500, 2000), most(8000, 10_000)];
  expect(before).toBeGreaterThan(50e6);
  expect(after - before).toBeLessThan(MOST_GROWTH);
});
