import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../base/bytes.ts';
import { exists, readText, writeFileAtomic } from '../../base/files.ts';
import type { DeviceRow } from '../../measure/devices/device-rows.ts';
import { laterMeasurementSchema, latencySchema } from '../../report/schema/latency.ts';
import type { LaterMeasurement, LatencyRow, ModelRow, Report } from '../../report/types.ts';
import { latencyRow } from '../../measure/devices/timing-place.ts';
import { ownFile } from '../own-file.ts';
import { modelFileOf } from '../run-models.ts';
import { contentBytes } from '../../formats/onnx/protobuf.ts';

/**
 * Folder in the run's with a file for each device that measured latencies after the run. They name a hash of the model file: after a change of the
 * model they are ignored.
 */
const FOLDER = 'latency';

const storedSchema = z.array(
  z.strictObject({
    measurement: laterMeasurementSchema,
    rows: z.array(z.strictObject({ model: z.string(), sha256: z.string(), row: latencySchema })),
  }),
);
type Stored = z.infer<typeof storedSchema>[number];

/** Measurements taken at one time; `devices`: further devices than the rows have. */
export interface Remeasured {
  readonly rows: readonly DeviceRow[];
  readonly devices?: readonly string[];
  readonly measurement: LaterMeasurement;
}

/** Stores what devices have measured; earlier figures for the same settings are replaced. */
export async function keepLatency(folder: string, report: Report, measured: Remeasured): Promise<void> {
  const hashes = await hashesOf(folder, report);
  const { rows, devices = [], measurement } = measured;
  const { measuredAt } = measurement;
  for (const device of new Set([...devices, ...rows.map((row) => row.device)])) {
    const file = await ownFile(folder, path.join(FOLDER, fileName(device)));
    const added = rows.flatMap((row): Stored['rows'] => {
      const hash = hashes.get(row.model);
      return row.device !== device || hash === undefined
        ? []
        : [{ model: row.model, sha256: hash, row: { ...latencyRow(row), measuredAt } }];
    });
    const isReplaced = (old: Stored['rows'][number]): boolean =>
      added.some((row) => row.model === old.model && isSame(row.row, old.row));
    const kept = (await readStored(file))
      .map((old) => ({ ...old, rows: old.rows.filter((row) => !isReplaced(row)) }))
      .filter((old) => old.rows.length > 0);
    const all = [...kept, { measurement, rows: added }];
    await writeFileAtomic(file, `${JSON.stringify(all, null, 2)}\n`);
  }
}

/** The report with latencies that devices have measured since. */
export async function withKeptLatency(folder: string, report: Report): Promise<Report> {
  const names = (await readdir(path.join(folder, FOLDER)).catch(() => []))
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (names.length === 0) return report;
  const hashes = await hashesOf(folder, report);
  const stored: Stored[] = [];
  for (const name of names) stored.push(...(await readStored(await ownFile(folder, path.join(FOLDER, name)))));
  const kept = stored.flatMap(({ rows }) => rows);
  const models = report.models.map((model): ModelRow => {
    const newRows = kept
      .filter((entry) => entry.model === model.id && entry.sha256 === hashes.get(model.id))
      .map(({ row }) => row);
    const others = model.latency.filter((row) => !newRows.some((newer) => isSame(newer, row)));
    return newRows.length === 0 ? model : { ...model, latency: [...others, ...newRows] };
  });
  const used = new Set(models.flatMap(({ latency }) => latency.map(({ measuredAt }) => measuredAt)));
  // A device on which nothing ran has reasons instead of rows.
  const measurements = stored.filter(({ rows, measurement }) => rows.length === 0 || used.has(measurement.measuredAt));
  const earlier = (report.remeasured ?? []).filter(({ measuredAt }) => used.has(measuredAt));
  const all = new Map(
    [...earlier, ...measurements.map(({ measurement }) => measurement)].map((m) => [m.measuredAt, m]),
  );
  const remeasured = [...all.values()].sort((a, b) => (a.measuredAt < b.measuredAt ? -1 : 1));
  return { ...report, models, ...(remeasured.length > 0 && { remeasured }) };
}

async function hashesOf(folder: string, report: Report): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const row of report.models) {
    const file = await modelFileOf(folder, row);
    if (file !== undefined) hashes.set(row.id, sha256(contentBytes(file.bytes)));
  }
  return hashes;
}

/** A damaged file is ignored: the device can measure again. */
async function readStored(file: string): Promise<Stored[]> {
  if (!(await exists(file))) return [];
  const text = await readText(file);
  try {
    return storedSchema.parse(JSON.parse(text));
  } catch {
    return [];
  }
}

function isSame(a: LatencyRow, b: LatencyRow): boolean {
  return a.runtime === b.runtime && a.device === b.device && a.batchSize === b.batchSize && a.threads === b.threads;
}

/** A readable file name that is unique for the device. */
function fileName(device: string): string {
  const readable = device
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `${readable}-${sha256(device).slice(0, 8)}.json`;
}
