import { DEVICES } from '../recipe/engines.ts';
import type { LatencyComparison } from '../measure/latency/compare.ts';
import type { BenchResult, BenchRow } from '../tools/bench.ts';
import type { serveBench } from '../tools/serve.ts';
import { outOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { textTable } from './terminal/table.ts';
import type { CommandContext } from './context.ts';

interface BenchArgs {
  files: string[];
  batch: number[];
  threads: number[];
  seconds: number;
  device: string;
  shape: string | undefined;
  in: string[];
  serve: boolean;
  host: string;
  port: number;
  out: string;
}

export const benchCommand: Command<BenchArgs> = {
  options: (yargs) =>
    yargs
      .positional('files', { type: 'string', array: true, demandOption: true, describe: 'Model files, or one run' })
      .option('batch', { type: 'number', array: true, default: [1], describe: 'Batch sizes' })
      .option('threads', { type: 'number', array: true, default: [1], describe: 'Numbers of threads' })
      .option('seconds', { type: 'number', default: 10, describe: 'Time for all files together' })
      .option('shape', { type: 'string', describe: 'Sizes of one sample where a file leaves them open: 224x224x3' })
      .option('device', {
        choices: ['auto', 'all', ...DEVICES] as const,
        default: 'cpu',
        describe: 'Device that ONNX files run on, on this machine',
      })
      .option('in', {
        choices: ['node', 'chromium', 'adb'],
        array: true,
        default: ['node'],
        describe: 'Places to measure in: this machine, a headless Chromium on it, phones that adb reaches',
      })
      .option('serve', { type: 'boolean', default: false, describe: 'Serve a page that measures on other devices' })
      .option('host', { type: 'string', default: '0.0.0.0', describe: '--serve: address to listen on' })
      .option('port', { type: 'number', default: 0, describe: '--serve: port; 0: any that is free' })
      .option('out', outOption),
  run: async (args, context) => {
    const { benchModels, modelFiles } = await import('../tools/bench.ts');
    const options = await optionsOf(args);
    const run = await runOf(args);
    const files = run?.files ?? (await modelFiles(args.files));
    const settings = { ...options, sampleShape: options.sampleShape ?? run?.report.dataset.sampleShape };
    if (args.serve) {
      const { UserError } = await import('../base/errors.ts');
      if (args.device !== 'cpu' || args.in.some((place) => place !== 'node')) {
        throw new UserError(
          'bench: --serve measures where its page is opened, received --in or --device as well',
          'Leave them out, or leave out --serve.',
        );
      }
      await serve(
        args,
        { files, title: run?.report.name ?? args.files.join(', '), folder: run?.folder },
        settings,
        context,
      );
      return;
    }
    const result = await benchModels(files, {
      ...settings,
      places: args.in as 'node'[],
      signal: context.signal,
      teacher: run?.teacher,
    });
    if (run !== undefined) {
      const { joinReport } = await import('../tools/serve.ts');
      const rows = result.rows.map(({ name, ...row }) => ({ model: name, ...row }));
      const { measuredAt, versions, loadAverage, skipped } = result;
      await joinReport(run.folder, { rows, measurement: { measuredAt, versions, loadAverage, skipped } });
    }
    if (context.json) printJson(context, result);
    else await print(result, context);
  },
};

async function optionsOf({ batch, threads, seconds, shape, device, port }: BenchArgs) {
  const { UserError } = await import('../base/errors.ts');
  const check = (option: string, isRight: boolean, received: unknown, expected = 'whole numbers > 0'): void => {
    if (isRight) return;
    throw new UserError(`--${option}: expected ${expected}, received ${String(received)}`, `Correct --${option}.`);
  };
  const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;
  const sampleShape: readonly number[] | undefined = shape?.split(/[x,]/).map(Number);
  check('batch', batch.every(isCount), batch);
  check('threads', threads.every(isCount), threads);
  check('shape', sampleShape?.every(isCount) !== false, shape, 'sizes, such as 224x224x3');
  check('seconds', seconds > 0, seconds, 'a number > 0');
  check('port', port === 0 || (isCount(port) && port < 65_536), port, 'a port from 0 to 65535');
  return { batchSizes: batch, threads, seconds, device: device as 'cpu', sampleShape };
}

/** A single name that is no model file is the name of a run. */
async function runOf({ files: [name = '', ...others], out }: BenchArgs) {
  if (others.length > 0 || /\.(onnx|keras|h5|tflite)$/i.test(name)) return undefined;
  const { stat } = await import('node:fs/promises');
  // Another kind of file gets the error about kinds of files.
  if ((await stat(name).catch(() => undefined))?.isFile() === true) return undefined;
  const { findRun } = await import('../folder/find.ts');
  const { modelsOfRun } = await import('../tools/serve.ts');
  const folder = await findRun(name, out);
  return { folder, ...(await modelsOfRun(folder)) };
}

async function serve(
  { host, port }: BenchArgs,
  what: Parameters<typeof serveBench>[0],
  settings: Awaited<ReturnType<typeof optionsOf>>,
  context: CommandContext,
): Promise<void> {
  const { serveBench: start } = await import('../tools/serve.ts');
  const { renderUnicodeCompact } = await import('uqr');
  await start(what, {
    ...settings,
    host,
    port,
    signal: context.signal,
    onReady: (url, skipped) => {
      context.note(`${renderUnicodeCompact(url)}\n`);
      context.note(`Open this on a phone in the same network, and end it here with Ctrl-C:\n`);
      context.out(`${url}\n`);
      for (const { what: name, why } of skipped) context.note(`not measured: ${name}: ${why}\n`);
    },
    onDevice: async (device, rows, skipped) => {
      const named = rows.map(({ model, ...row }) => ({ name: model, ...row }));
      if (context.json) printJson(context, { device, rows: named, skipped });
      else {
        context.out(`\n${device}\n${await rowTable(named, context)}`);
        for (const { what: name, why } of skipped) context.note(`not measured: ${name}: ${why}\n`);
      }
    },
  });
}

async function print(result: BenchResult, context: CommandContext): Promise<void> {
  context.out(await rowTable(result.rows, context));
  for (const { file, base, setting, ...comparison } of result.comparisons)
    context.out(`${file} beside ${base}, ${setting}: ${said(comparison)}\n`);
  for (const { what, why } of result.skipped) context.note(`not measured: ${what}: ${why}\n`);
  const { machine, loadAverage, cpuFeatures, versions } = result;
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const load = `load average ${loadAverage.toFixed(2)} on ${machine.cores} cores`;
  context.note(`${machine.cpu} (${cpuFeatures?.join(', ') ?? 'features unknown'}), ${load}, ${libraries.join(', ')}\n`);
}

function said({ result, ratio, interval }: LatencyComparison): string {
  if (interval === null) return `too few sessions to tell, ${ratio.toFixed(3)} of its time`;
  const found = result === 'unknown' ? 'too noisy to tell' : result;
  return `${found}, ${ratio.toFixed(3)} of its time (99 % interval ${interval.map((end) => end.toFixed(3)).join(' to ')})`;
}

const HEAD = [
  'file',
  'runtime',
  'batch',
  'threads',
  'median',
  '95 % interval',
  '95 %',
  '99 %',
  'samples/s',
  'sessions',
  'memory',
];

async function rowTable(rows: readonly BenchRow[], context: CommandContext): Promise<string> {
  const { milliseconds, number, size } = await import('../report/format.ts');
  const lines = rows.map((row) => [
    row.name,
    `${row.runtime} on ${row.device}`,
    String(row.batchSize),
    String(row.threads),
    milliseconds(row.p50Ms),
    row.intervalMs === null ? '-' : row.intervalMs.map(milliseconds).join(' to '),
    milliseconds(row.p95Ms),
    row.p99Ms === undefined ? '-' : milliseconds(row.p99Ms),
    number(row.throughputPerSecond),
    number(row.sessions),
    row.memoryBytes === undefined ? '-' : size(row.memoryBytes),
  ]);
  return textTable([HEAD, ...lines], context);
}
