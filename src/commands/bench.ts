import type { Command } from './command.ts';
import { printJson, table } from './context.ts';

interface BenchArgs {
  files: string[];
  batch: number[];
  threads: number[];
  seconds: number;
  device: string;
  shape: string | undefined;
}

export const benchCommand: Command<BenchArgs> = {
  name: 'bench <files..>',
  summary: 'Time model files (.onnx, .tflite) side by side',
  options: (yargs) =>
    yargs
      .positional('files', { type: 'string', array: true, demandOption: true, describe: 'Model files' })
      .option('batch', { type: 'number', array: true, default: [1], describe: 'Batch sizes' })
      .option('threads', { type: 'number', array: true, default: [1], describe: 'Numbers of threads' })
      .option('seconds', { type: 'number', default: 10, describe: 'Time for all files together' })
      .option('shape', { type: 'string', describe: 'Sizes of one sample where a file leaves them open: 224x224x3' })
      .option('device', {
        choices: ['auto', 'cpu', 'webgpu', 'cuda', 'coreml', 'dml'],
        default: 'cpu',
        describe: 'Where ONNX files run',
      }),
  run: async ({ files, batch, threads, seconds, shape, device }, context) => {
    const { UserError } = await import('../base/errors.ts');
    const check = (option: string, isRight: boolean, received: unknown): void => {
      if (isRight) return;
      throw new UserError(`--${option}: expected numbers > 0, received ${String(received)}`, `Correct --${option}.`);
    };
    const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;
    const sampleShape = shape?.split(/[x,]/).map(Number);
    check('batch', batch.every(isCount), batch);
    check('threads', threads.every(isCount), threads);
    check('shape', sampleShape?.every(isCount) !== false, shape);
    check('seconds', seconds > 0, seconds);
    const { benchFiles } = await import('../pipeline/bench.ts');
    const result = await benchFiles(files, {
      batchSizes: batch,
      threads,
      seconds,
      device: device as 'cpu',
      sampleShape,
      signal: context.signal,
    });
    if (context.json) {
      printJson(context, result);
      return;
    }
    const { milliseconds, number } = await import('../report/format.ts');
    const rows = result.rows.map((row) => [
      row.name,
      `${row.runtime} on ${row.device}`,
      String(row.batchSize),
      String(row.threads),
      milliseconds(row.p50Ms),
      row.intervalMs === null ? '-' : row.intervalMs.map(milliseconds).join(' to '),
      milliseconds(row.p95Ms),
      milliseconds(row.p99Ms),
      number(row.throughputPerSecond),
      number(row.runs),
    ]);
    const head = [
      'file',
      'runtime',
      'batch',
      'threads',
      'median',
      '95 % interval',
      '95 %',
      '99 %',
      'samples/s',
      'runs',
    ];
    context.out(table([head, ...rows]));
    for (const { file, base, setting, result: found, ratio, interval } of result.comparisons) {
      const range =
        interval === null
          ? 'too few rounds to tell'
          : `99 % interval ${interval.map((v) => v.toFixed(3)).join(' to ')}`;
      context.out(`${file} beside ${base}, ${setting}: ${found}, ${ratio.toFixed(3)} of its time (${range})\n`);
    }
    for (const { what, why } of result.skipped) context.note(`not measured: ${what}: ${why}\n`);
    const { machine, loadAverage, cpuFeatures, versions } = result;
    const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    const load = `load average ${loadAverage.toFixed(2)} on ${machine.cores} cores`;
    context.note(
      `${machine.cpu} (${cpuFeatures?.join(', ') ?? 'features unknown'}), ${load}, ${libraries.join(', ')}\n`,
    );
  },
};
