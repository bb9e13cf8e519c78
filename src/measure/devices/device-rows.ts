import { z } from 'zod';
import { UserError } from '../../base/errors.ts';
import type { Skipped } from '../../base/skipped.ts';
import type { Posted, Shown } from '../page/protocol.ts';
import { summarize } from '../latency/figures.ts';
import type { TimeFigures } from '../latency/figures.ts';

/** A row of latencies from another device. */
export interface DeviceRow extends Omit<TimeFigures, 'p99Ms'> {
  readonly model: string;
  readonly runtime: string;
  readonly device: string;
  readonly batchSize: number;
  readonly threads: number;
  readonly p99Ms?: number;
  readonly memoryBytes?: number;
}

export interface DeviceFigures {
  readonly rows: readonly DeviceRow[];
  readonly skipped: readonly Skipped[];
}

const text = z.string().max(300);
const milliseconds = z.number().gt(0).max(3_600_000);

/** Largest batch size that a page measures. */
export const MOST_BATCH = 65_536;

/** Schema of a page's results: they are untrusted, so every size is bounded. */
const postedSchema = z.strictObject({
  device: z.string().max(60),
  rows: z
    .array(
      z.strictObject({
        model: text,
        runtime: z.enum(['onnxruntime-web', 'onnxruntime-web-webgpu', 'litert-web', 'litert-web-webgpu']),
        batchSize: z.int().min(1).max(MOST_BATCH),
        threads: z.int().min(1).max(1024),
        sessions: z.array(z.array(milliseconds).min(1).max(1000)).min(1).max(100),
      }),
    )
    .max(1000),
  skipped: z.array(z.strictObject({ what: text, why: z.string().max(2000) })).max(1000),
});

/** Validates a page's results about `models`, and computes figures. `UserError` for invalid results. */
export function deviceRows(
  body: string,
  models: ReadonlySet<string>,
): { rows: DeviceRow[]; skipped: Posted['skipped'] } {
  let data: unknown;
  try {
    data = JSON.parse(body);
  } catch {
    throw new UserError('the message is no JSON', 'Load the page again.');
  }
  const parsed = postedSchema.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UserError(`the message is wrong at ${issue!.path.join('.')}: ${issue!.message}`, 'Load the page again.');
  }
  const { rows, skipped } = parsed.data;
  const device = deviceName(parsed.data.device);
  const unknown = rows.find(({ model }) => !models.has(model));
  if (unknown !== undefined)
    throw new UserError('the message is about a model that is not served', 'Load the page again.');
  return {
    rows: rows.map(({ sessions, ...row }) => ({ ...row, device, ...summarize(sessions, row.batchSize) })),
    skipped,
  };
}

/** A device's name in one line of ordinary characters. `cpu` and the like are refused: in a report they mean this machine. */
function deviceName(given: string): string {
  const name = given
    .replace(/[^\p{L}\p{N} ._+()-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (name === '') return 'browser';
  return /^(cpu|webgpu|cuda|tensorrt|coreml|dml)$/i.test(name) ? `${name} device` : name;
}

export function shownRow({ model, runtime, batchSize, threads, p50Ms, p95Ms }: DeviceRow): Shown {
  return { model, runtime, batchSize, threads, p50Ms, p95Ms };
}
