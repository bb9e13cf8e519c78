/**
 * Forecasts beside what became of them: `npm run bench:forecast -- [--only segments,watch-exercises]`. Each recipe is run by the command line; memory is
 * that of its first process at the highest (Linux). The time goes from the forecast to the first export; disk is the folder of the run at its end. A
 * recipe that fails has its reason in the table.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Forecast } from '../src/base/events.ts';
import { table } from './processes.ts';

const RECIPES: Readonly<Record<string, readonly string[]>> = {
  'fashion-mnist': ['repeats=2', 'distill.epochs=2'],
  'wordnet-pairs': ['repeats=1'],
  'emoji-detection': ['repeats=1', 'distill.epochs=3', 'distill.softTargets.views=2'],
  segments: ['repeats=1', 'distill.epochs=3'],
  'fashion-mnist-vectors': ['repeats=1'],
  'watch-exercises': ['repeats=2'],
};

const { values } = parseArgs({ options: { only: { type: 'string', default: Object.keys(RECIPES).join() } } });
const asked = values.only.split(',');
const strange = asked.find((name) => !Object.hasOwn(RECIPES, name));
if (strange !== undefined) {
  console.error(
    `--only: expected some of ${Object.keys(RECIPES).join(', ')}, received ${strange || 'nothing'}\nName them with commas between.`,
  );
  process.exit(2);
}

/** The forecast of a log's line, and the same figures of the run. */
interface Found {
  readonly said: readonly [seconds: number, bytes: number, disk: number];
  readonly became: readonly [seconds: number, bytes: number, disk: number];
}

async function runOf(recipe: string, folder: string): Promise<Found> {
  const sets = RECIPES[recipe]!.flatMap((set) => ['--set', set]);
  const args = ['dist/cli.js', 'run', `recipes/${recipe}.yaml`, '--quiet', '--out', folder, ...sets];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let bytes = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      bytes = 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? bytes / 1024);
    } catch {
      // The process has just ended.
    }
  }, 100);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`code ${String(code)}: ${said.trim().split('\n')[0] ?? ''}`);
  const log = readFileSync(path.join(folder, recipe, 'log.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  const events = log.map(
    (line) => JSON.parse(line) as { event: string; stage?: string; forecast?: Forecast; timestamp: string },
  );
  const at = events.findIndex(({ forecast }) => forecast !== undefined);
  if (at === -1) throw new Error('no forecast in its log');
  const { answerSeconds, trainingSeconds, memoryBytes, diskBytes } = events[at]!.forecast!;
  const end = events.slice(at).find(({ stage = '' }) => stage.startsWith('export'))!;
  const seconds = (Date.parse(end.timestamp) - Date.parse(events[at]!.timestamp)) / 1000;
  const files = readdirSync(path.join(folder, recipe), { recursive: true, withFileTypes: true });
  const disk = files.reduce(
    (sum, file) => sum + (file.isFile() ? statSync(path.join(file.parentPath, file.name)).size : 0),
    0,
  );
  return { said: [answerSeconds + trainingSeconds, memoryBytes, diskBytes], became: [seconds, bytes, disk] };
}

const rows: string[][] = [];
for (const recipe of asked) {
  const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-forecast-'));
  try {
    const load = loadavg()[0]!;
    const { said, became } = await runOf(recipe, folder);
    const scale = [1, 1e6, 1e6];
    const both = [0, 1, 2].map((i) => {
      const [one, other] = [said[i]! / scale[i]!, became[i]! / scale[i]!];
      return `${one.toFixed(1)} / ${other.toFixed(1)} (${one > other ? '+' : ''}${(100 * (one / other - 1)).toFixed(0)} %)`;
    });
    rows.push([recipe, ...both, load.toFixed(1)]);
  } catch (error) {
    rows.push([recipe, `failed: ${(error as Error).message}`, '', '', '']);
    process.exitCode = 1;
  } finally {
    console.error(rows.at(-1)!.join('  '));
    rmSync(folder, { recursive: true, force: true });
  }
}
const took = (performance.now() / 1000).toFixed(0);
console.log(
  `\`npm run bench:forecast\`, ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, ${took} s: forecast / found.\n`,
);
console.log(table(['recipe', 'seconds up to the exports', 'memory, MB', 'disk, MB', 'load before'], rows));
