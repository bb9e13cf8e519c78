import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { monotonicMs } from '../base/clock.ts';

/** What nvidia-smi is asked for, with the names that Triton has for it, and what a value is multiplied by. */
const FIELDS = [
  ['utilization.gpu', 'nv_gpu_utilization', 'Share of the time in which the GPU ran something, 0 to 1', 0.01],
  ['memory.total', 'nv_gpu_memory_total_bytes', 'Memory of the GPU', 2 ** 20],
  ['memory.used', 'nv_gpu_memory_used_bytes', 'Memory of the GPU in use', 2 ** 20],
  ['power.draw', 'nv_gpu_power_usage', 'Watts that the GPU draws', 1],
  ['power.limit', 'nv_gpu_power_limit', 'Watts that it may draw', 1],
] as const;
const ARGS = [`--query-gpu=uuid,${FIELDS.map(([field]) => field).join(',')}`, '--format=csv,noheader,nounits'];

/** Milliseconds for which an answer is used again: all gauges of one scrape share it. */
const FRESH_MS = 500;
const TIMEOUT_MS = 2000;

const run = promisify(execFile);

/** Gauges of each GPU, with Triton's names and label, as nvidia-smi tells them. Without `command` they have no values. */
export function describeGpus(registry: Registry, command = 'nvidia-smi'): void {
  let asked: { readonly atMs: number; readonly rows: Promise<readonly (readonly string[])[]> } | undefined;
  const rows = (): Promise<readonly (readonly string[])[]> => {
    if (asked === undefined || monotonicMs() - asked.atMs > FRESH_MS)
      asked = { atMs: monotonicMs(), rows: readRows(command) };
    return asked.rows;
  };
  FIELDS.forEach(([, name, help, factor], place) => {
    new Gauge({
      ...{ name, help, labelNames: ['gpu_uuid'] as const, registers: [registry] },
      async collect() {
        this.reset();
        for (const [uuid, ...values] of await rows()) {
          const value = Number(values[place]);
          // A card that does not know a value says [N/A].
          if (Number.isFinite(value)) this.set({ gpu_uuid: uuid! }, value * factor);
        }
      },
    });
  });
}

async function readRows(command: string): Promise<string[][]> {
  try {
    const { stdout } = await run(command, ARGS, { timeout: TIMEOUT_MS });
    const lines = stdout.split('\n').filter((line) => line.trim() !== '');
    return lines.map((line) => line.split(',').map((value) => value.trim()));
  } catch {
    return [];
  }
}
