import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { entryBeside } from '../base/process/entry.ts';
import type { OnProgress } from '../base/progress.ts';
import type { DeviceName } from '../recipe/engines.ts';
import { describe } from './latency/setting.ts';
import type { LatencySetting } from './latency/setting.ts';
import type { TimedFile } from './latency/variants.ts';

export interface MemoryRequest {
  readonly name: string;
  /** `.onnx` or `.tflite`. */
  readonly format: string;
  readonly runtime: string;
  readonly device: DeviceName;
  readonly threads: number;
  readonly batchSizes: readonly number[];
  /** Size of the file, which the process reads from stdin. */
  readonly sizeBytes: number;
  readonly sampleShape?: readonly number[] | undefined;
}

export interface MemoryOptions {
  readonly sampleShape?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
}

const PATIENCE_MS = 60_000;
/** Keep the growth of JavaScript's own memory small. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/**
 * Peak memory in bytes that loading and running a model adds to a process, by `describe` of the setting: one process for each file and runtime, with
 * the smallest number of threads. Settings that could not be measured are absent.
 */
export async function peakMemory(
  files: readonly TimedFile[],
  settings: readonly LatencySetting[],
  { sampleShape, signal, onProgress }: MemoryOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const entry = entryBeside(import.meta.url, 'memory-child');
  if (entry === undefined) return found;
  for (const [i, file] of files.entries()) {
    // A child gets the file as bytes.
    if (!(file.bytes instanceof Uint8Array)) continue;
    const ofFile = settings.filter(({ name }) => name === file.name);
    for (const key of new Set(ofFile.map(({ runtime, device }) => JSON.stringify([runtime, device])))) {
      if (signal?.aborted === true) return found;
      const same = ofFile.filter(({ runtime, device }) => JSON.stringify([runtime, device]) === key);
      const { runtime, device } = same[0]!;
      const threads = Math.min(...same.map((setting) => setting.threads));
      const request: MemoryRequest = {
        name: file.name,
        runtime,
        device: device as DeviceName,
        threads,
        sampleShape: file.sampleShape ?? sampleShape,
        sizeBytes: file.bytes.length,
        format: file.format ?? file.name.slice(file.name.lastIndexOf('.')),
        batchSizes: same.filter((setting) => setting.threads === threads).map(({ batchSize }) => batchSize),
      };
      for (const { batchSize, memoryBytes } of await ask(entry, request, file.bytes)) {
        found.set(describe({ name: file.name, runtime, device, batchSize, threads }), memoryBytes);
      }
    }
    onProgress?.('memory of file', i + 1, files.length);
  }
  return found;
}

async function ask(
  entry: string,
  request: MemoryRequest,
  bytes: Uint8Array,
): Promise<{ batchSize: number; memoryBytes: number }[]> {
  const child = spawn(process.execPath, [...FLAGS, entry, JSON.stringify(request)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  try {
    // A dead child does not read its input; its output tells why.
    child.stdin.on('error', () => undefined);
    child.on('error', () => undefined);
    child.stdin.end(bytes);
    return JSON.parse(await text(child.stdout)) as { batchSize: number; memoryBytes: number }[];
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}
