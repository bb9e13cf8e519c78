import { readFileSync, readSync, writeFileSync } from 'node:fs';
import { lowerToOnnx } from '../formats/onnx/lower.ts';
import { encodeModel } from '../formats/onnx/protobuf.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { MemoryRequest } from './memory.ts';
import { openVariants } from './latency/variants.ts';
import type { TimedFile } from './latency/variants.ts';

/** Entry of a process that measures memory: its peak beyond that of the runtime is the model's. */

const RUNS = 3;

const request = JSON.parse(process.argv[2]!) as MemoryRequest;
const bytes = readInput(request.sizeBytes);
await runOnce({ name: 'empty', format: request.format, bytes: await emptyModel(request.format) }, 1);
// Free this program's own garbage first.
(globalThis as { gc?: () => void }).gc?.();
resetPeak();
const before = process.memoryUsage.rss();
const results: { batchSize: number; memoryBytes: number }[] = [];
// In ascending order, so that the peak so far belongs to the current batch size.
for (const batchSize of [...request.batchSizes].sort((a, b) => a - b)) {
  await runOnce({ name: request.name, format: request.format, bytes }, batchSize);
  const memoryBytes = Math.max(0, peakBytes() - before);
  results.push({ batchSize, memoryBytes });
}
process.stdout.write(JSON.stringify(results));
// Do not wait for threads of the runtimes.
process.exit(0);

async function runOnce(file: TimedFile, batchSize: number): Promise<void> {
  const { runtime, device, threads, sampleShape } = request;
  const opened = await openVariants(file, {
    batchSizes: [batchSize],
    threads: [threads],
    device,
    runtime,
    sampleShape: file.name === 'empty' ? undefined : sampleShape,
  });
  if (opened.variants.length === 0) throw new Error(opened.skipped.map(({ why }) => why).join('; '));
  for (const variant of opened.variants) for (let run = 0; run < RUNS; run++) await variant.run();
  opened.dispose();
}

/** Reads the model from stdin without a stream: freed stream buffers would provide memory that the model then takes without raising the peak. */
function readInput(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes;) {
    try {
      const count = readSync(0, bytes, at, sizeBytes - at, null);
      if (count === 0) throw new Error(`stdin: ${sizeBytes} bytes expected, ${at} received`);
      at += count;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
  return bytes;
}

async function emptyModel(format: string): Promise<Uint8Array> {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: [1, 1] });
  b.output('y', b.op('Add', [x, x]));
  const graph = b.build();
  if (format === '.onnx') return encodeModel(lowerToOnnx(graph));
  const { exportTflite } = await import('../formats/tflite/export.ts');
  return exportTflite(graph, { precision: 'float32' }).bytes;
}

/** Linux resets a process' peak on request; elsewhere, loading this program may hide a small model. */
function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not permitted.
  }
}

/** On Linux `maxRSS` is inherited from the parent process; /proc has the process' own peak. */
function peakBytes(): number {
  if (process.platform !== 'linux') return 1024 * process.resourceUsage().maxRSS;
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  if (kibibytes === undefined) throw new Error('/proc/self/status tells no VmHWM');
  return 1024 * Number(kibibytes);
}
