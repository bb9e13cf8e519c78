import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from '../../base/bytes.ts';
import { InterruptedError } from '../../base/errors.ts';
import { temporaryFolder } from '../../base/folders/temporary.ts';
import type { DeviceRow, DeviceFigures } from './device-rows.ts';
import { reasonOf } from '../reason.ts';
import type { Skipped } from '../../base/skipped.ts';
import { ascending, median, medianInterval } from '../../base/math/statistics.ts';
import type { TimedFile } from '../latency/variants.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';

export interface AdbOptions {
  readonly threads: readonly number[];
  /** Only batch size 1 is measured: `benchmark_model` cannot change a file's. */
  readonly batchSizes: readonly number[];
  /** Seconds for all files together. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  /** `ADB`: path of adb; `BENCHMARK_MODEL`: path of TensorFlow Lite's benchmark_model for the phone, which is copied to it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const FOLDER = '/data/local/tmp';
const TOOL = `${FOLDER}/benchmark_model`;
const SESSIONS = 8;
/** Milliseconds to wait for a reply besides the time for measuring, after which a phone counts as gone. */
const PATIENCE_MS = 60_000;

/** Result of one call of `benchmark_model`. */
export interface ToolFigures {
  readonly runs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly memoryBytes?: number;
}

/**
 * Parses the last line of statistics of `benchmark_model`; the line before is of its warm-up. Undefined without such a line, and for old versions,
 * which print no percentiles.
 */
export function parseToolOutput(output: string): ToolFigures | undefined {
  const lines = [...output.matchAll(/count=(\d+) .*\bmedian=([\d.e+]+) p95=([\d.e+]+)/g)];
  const [, count, p50, p95] = lines.at(-1) ?? [];
  // A warm-up alone is no measurement.
  if (count === undefined || lines.length < 2) return undefined;
  const [, megabytes] = /Memory footprint delta[^:]*: init=[\d.]+ overall=([\d.]+)/.exec(output) ?? [];
  const memory = megabytes === undefined ? {} : { memoryBytes: Math.round(Number(megabytes) * 2 ** 20) };
  return { runs: Number(count), p50Ms: Number(p50) / 1000, p95Ms: Number(p95) / 1000, ...memory };
}

/** Times TFLite files with `benchmark_model` on every phone that `adb` reaches; returns a reason if there is none. */
export async function measureWithAdb(files: readonly TimedFile[], options: AdbOptions): Promise<DeviceFigures> {
  const { env = process.env, signal } = options;
  const adb = env['ADB'] ?? 'adb';
  const nothing = (why: string): DeviceFigures => ({ rows: [], skipped: [{ what: 'phones', why }] });
  const call = async (args: readonly string[]): Promise<string> => {
    const limits = { maxBuffer: 2 ** 24, timeout: PATIENCE_MS + 1000 * options.seconds };
    try {
      const { stdout, stderr } = await promisify(execFile)(adb, [...args], { ...limits, ...(signal && { signal }) });
      return `${stdout}\n${stderr}`;
    } catch (error) {
      if (signal?.aborted === true) throw new InterruptedError('stopped measuring latency', { cause: error });
      if ((error as { killed?: boolean }).killed === true)
        throw new Error(`no answer within ${Math.round(limits.timeout / 1000)} s`, { cause: error });
      throw error;
    }
  };
  let listed: string;
  try {
    listed = await call(['devices']);
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return nothing(`${adb} cannot be started: install the Android platform tools, or set ADB`);
  }
  // A state may have several words: `no permissions (user in plugdev group; are your udev rules wrong?)`.
  const phones = [...listed.matchAll(/^(\S+)\t(.+?)\s*$/gm)].map(([, serial, state]) => ({ serial: serial!, state }));
  if (phones.length === 0) return nothing('adb finds no phone');
  const rows: DeviceRow[] = [];
  const skipped: Skipped[] = [];
  for (const { serial, state } of phones) {
    if (state !== 'device') {
      skipped.push({ what: `phone ${serial}`, why: `it is ${state}; allow debugging on it` });
      continue;
    }
    try {
      const measured = await measureOn((args) => call(['-s', serial, ...args]), serial, files, options);
      rows.push(...measured.rows);
      skipped.push(...measured.skipped);
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      skipped.push({ what: `phone ${serial}`, why: failure(error) });
    }
  }
  return { rows, skipped };
}

type Call = (args: readonly string[]) => Promise<string>;

async function measureOn(
  call: Call,
  serial: string,
  files: readonly TimedFile[],
  options: AdbOptions,
): Promise<DeviceFigures> {
  const { threads, seconds, env = process.env } = options;
  const device = (await call(['shell', 'getprop', 'ro.product.model'])).trim() || serial;
  const skipped: Skipped[] = [];
  // The exit code of `adb shell` would not tell a missing tool from a lost phone.
  if (!(await call(['shell', `test -x ${TOOL} && echo present || true`])).includes('present')) {
    const { BENCHMARK_MODEL: given } = env;
    if (given === undefined) {
      const why = `${TOOL} is not there: set BENCHMARK_MODEL to TensorFlow Lite's benchmark_model for Android`;
      return { rows: [], skipped: [{ what: device, why }] };
    }
    await call(['push', given, TOOL]);
    await call(['shell', 'chmod', '755', TOOL]);
  }
  for (const batchSize of options.batchSizes) {
    if (batchSize !== 1)
      skipped.push({
        what: `batch ${batchSize} on ${device}`,
        why: 'benchmark_model runs a file as it is, with batch 1',
      });
  }
  const jobs: { file: TimedFile; remote: string; threads: number; found: ToolFigures[] }[] = [];
  const { path: folder, remove } = await temporaryFolder('adb-');
  const remotes = new Set<string>();
  try {
    for (const file of files) {
      if ((file.format ?? path.extname(file.name)) !== '.tflite') {
        skipped.push({ what: `${file.name} on ${device}`, why: 'benchmark_model runs .tflite files alone' });
        continue;
      }
      const bytes = inOnePiece(file.bytes, file.name, 'TFLite');
      const remote = `${FOLDER}/limbeck-${sha256(bytes).slice(0, 16)}.tflite`;
      await writeFile(path.join(folder, 'model.tflite'), bytes);
      await call(['push', path.join(folder, 'model.tflite'), remote]);
      remotes.add(remote);
      for (const count of threads) jobs.push({ file, remote, threads: count, found: [] });
    }
    const failed = new Set<(typeof jobs)[number]>();
    const secondsPerCall = Math.max(0.05, seconds / SESSIONS / Math.max(1, jobs.length));
    for (let session = 0; session < SESSIONS; session++) {
      for (let i = 0; i < jobs.length; i++) {
        const job = jobs[(i + session) % jobs.length]!;
        if (failed.has(job)) continue;
        const command = toolCommand(job.remote, job.threads, secondsPerCall);
        try {
          job.found.push(figuresIn(await call(['shell', command])));
        } catch (error) {
          if (error instanceof InterruptedError) throw error;
          failed.add(job);
          job.found.length = 0;
          const what = `${job.file.name} on ${device}, ${job.threads} thread${job.threads === 1 ? '' : 's'}`;
          skipped.push({ what, why: failure(error) });
        }
      }
    }
    return { rows: jobs.flatMap((job) => (job.found.length === 0 ? [] : [rowOf(job, device)])), skipped };
  } finally {
    await remove();
    if (remotes.size > 0) await call(['shell', 'rm', '-f', ...remotes]).catch(() => undefined);
  }
}

function figuresIn(output: string): ToolFigures {
  const figures = parseToolOutput(output);
  if (figures === undefined)
    throw new Error('benchmark_model printed no percentiles: it failed, or its version is too old');
  return figures;
}

/** Command line of the tool: at least 10 runs and at least `seconds`. */
function toolCommand(remote: string, threads: number, seconds: number): string {
  const rounded = seconds.toFixed(2);
  return `${TOOL} --graph=${remote} --num_threads=${threads} --use_xnnpack=true --num_runs=10 --min_secs=${rounded}`;
}

/** The tool prints no single times, so the figures of several sessions are merged by their medians. */
function rowOf(job: { file: TimedFile; threads: number; found: readonly ToolFigures[] }, device: string): DeviceRow {
  const p50 = ascending(job.found.map(({ p50Ms }) => p50Ms));
  const p50Ms = median(p50);
  const memory = job.found.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    model: job.file.name,
    runtime: 'tflite-android',
    device,
    batchSize: 1,
    threads: job.threads,
    p50Ms,
    p95Ms: Math.max(p50Ms, median(job.found.map(({ p95Ms }) => p95Ms))),
    throughputPerSecond: 1000 / p50Ms,
    intervalMs: medianInterval(p50) ?? null,
    runs: job.found.reduce((sum, { runs }) => sum + runs, 0),
    sessions: job.found.length,
    ...(memory.length > 0 && { memoryBytes: Math.max(...memory) }),
  };
}

/** Last output of a program that failed, without its command line. */
function failure(error: unknown): string {
  const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
  const lastLine = `${stdout}\n${stderr}`.trim().split('\n').at(-1)!.trim();
  return (lastLine === '' ? reasonOf(error, 'adb') : lastLine).slice(0, 300);
}
