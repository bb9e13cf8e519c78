import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { sha256 } from '../base/bytes.ts';
import { exists, readBytes, readText, writeFileAtomic } from '../base/files.ts';
import type { DeviceRow } from '../measure/device-rows.ts';
import { latencySchema } from '../report/schema.ts';
import type { LatencyRow, ModelRow, Report } from '../report/types.ts';
import { latencyRow } from './elsewhere.ts';

/**
 * Latencies measured after a run, a file for each device in the run's `latency` folder. They name the content of the model
 * file that they are about: after a change of the model they count no more.
 */
const FOLDER = 'latency';

const storedSchema = z.array(z.strictObject({ model: z.string(), sha256: z.string(), row: latencySchema }));
type Stored = z.infer<typeof storedSchema>[number];

/** Keep what a device has measured; figures that it had for the same settings are replaced. */
export async function keepLatency(folder: string, report: Report, rows: readonly DeviceRow[]): Promise<void> {
  const hashes = await hashesOf(folder, report);
  for (const device of new Set(rows.map((row) => row.device))) {
    const file = path.join(folder, FOLDER, fileName(device));
    const added: Stored[] = rows.flatMap((row) => {
      const hash = hashes.get(row.model);
      return row.device !== device || hash === undefined
        ? []
        : [{ model: row.model, sha256: hash, row: latencyRow(row) }];
    });
    const kept = (await readStored(file)).filter(
      (old) => !added.some((row) => row.model === old.model && isSame(row.row, old.row)),
    );
    await writeFileAtomic(file, `${JSON.stringify([...kept, ...added], null, 2)}\n`);
  }
}

/** The report with what devices have measured of its models. */
export async function withKeptLatency(folder: string, report: Report): Promise<Report> {
  const names = (await readdir(path.join(folder, FOLDER)).catch(() => []))
    .filter((name) => name.endsWith('.json'))
    .sort();
  if (names.length === 0) return report;
  const hashes = await hashesOf(folder, report);
  const kept: Stored[] = [];
  for (const name of names) kept.push(...(await readStored(path.join(folder, FOLDER, name))));
  const models = report.models.map((model): ModelRow => {
    const own = kept
      .filter((entry) => entry.model === model.id && entry.sha256 === hashes.get(model.id))
      .map(({ row }) => row);
    const others = model.latency.filter((row) => !own.some((newer) => isSame(newer, row)));
    return own.length === 0 ? model : { ...model, latency: [...others, ...own] };
  });
  return { ...report, models };
}

async function hashesOf(folder: string, report: Report): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const { id, file } of report.models) {
    const place = file === null ? undefined : path.join(folder, file);
    if (place !== undefined && (await exists(place))) hashes.set(id, sha256(await readBytes(place)));
  }
  return hashes;
}

/** A damaged file counts as none: the device can measure again. */
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

/** Readable, and no two devices in one file. */
function fileName(device: string): string {
  const readable = device
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `${readable}-${sha256(device).slice(0, 8)}.json`;
}
