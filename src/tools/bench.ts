import { loadavg } from 'node:os';
import { timestamp } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { readBytes } from '../base/files.ts';
import { isReadAsOnnx } from '../files/keras-names.ts';
import { readOnnx } from '../files/onnx-file.ts';
import { compareLatency } from '../measure/latency/compare.ts';
import type { LatencyComparison } from '../measure/latency/compare.ts';
import type { DeviceRow } from '../measure/devices/device-rows.ts';
import { withoutSessions } from '../measure/latency/findings.ts';
import type { Latency } from '../measure/latency/findings.ts';
import { measureLatency } from '../measure/latency/latency.ts';
import { cpuFeatures, machineInfo } from '../measure/machine.ts';
import type { MachineInfo } from '../measure/machine.ts';
import { peakMemory } from '../measure/memory.ts';
import { describe } from '../measure/latency/setting.ts';
import type { Skipped } from '../base/skipped.ts';
import { sourceOf } from '../measure/latency/variants.ts';
import type { TimedFile, VariantOptions } from '../measure/latency/variants.ts';
import { libraryVersions, measureElsewhere } from '../measure/devices/timing-place.ts';
import type { TimingPlace } from '../measure/devices/timing-place.ts';

export interface BenchOptions extends VariantOptions {
  /** Seconds for all files together, in each place. */
  readonly seconds: number;
  /** Default: this process. */
  readonly places?: readonly TimingPlace[];
  readonly signal?: AbortSignal | undefined;
  /** A teacher to time beside the files, in this process only: it is not shipped to the students' devices. */
  readonly teacher?: TimedFile | undefined;
}

export interface BenchRow extends Omit<DeviceRow, 'model'> {
  readonly name: string;
}

export interface BenchResult {
  /** Start of the measurement, ISO 8601. */
  readonly measuredAt: string;
  readonly machine: MachineInfo;
  readonly cpuFeatures: readonly string[] | null;
  readonly versions: Readonly<Record<string, string>>;
  /** Load average of the minute before measuring began. */
  readonly loadAverage: number;
  readonly rows: readonly BenchRow[];
  /** Comparison of every other file with the first, in common settings. */
  readonly comparisons: readonly (LatencyComparison & {
    readonly file: string;
    readonly base: string;
    readonly setting: string;
  })[];
  readonly skipped: readonly Skipped[];
}

/** Times model files side by side. A file given twice is told apart by a number. */
export async function benchFiles(files: readonly string[], options: BenchOptions): Promise<BenchResult> {
  return benchModels(await modelFiles(files), options);
}

export async function modelFiles(files: readonly string[]): Promise<TimedFile[]> {
  const models: TimedFile[] = [];
  for (const [i, file] of files.entries()) {
    const earlier = files.slice(0, i).filter((other) => other === file).length;
    const name = earlier === 0 ? file : `${file} (${earlier + 1})`;
    const ending = /\.[^.]*$/.exec(file)?.[0].toLowerCase() ?? '';
    const isOnnx = await isReadAsOnnx(file);
    models.push({ name, format: isOnnx ? '.onnx' : ending, bytes: await (isOnnx ? readOnnx(file) : readBytes(file)) });
  }
  return models;
}

/** `UserError` if nothing could be measured; single files and settings that could not are in `skipped`. */
export async function benchModels(files: readonly TimedFile[], options: BenchOptions): Promise<BenchResult> {
  const { places = ['node'], seconds, signal, sampleShape, teacher } = options;
  const measuredAt = timestamp();
  const loadAverage = loadavg()[0]!;
  const all = teacher === undefined ? files : [...files, teacher];
  const here = places.includes('node')
    ? await measureLatency(
        all.map((file) => sourceOf(file, options)),
        { budgetMs: 1000 * seconds, signal },
      )
    : { rows: [], skipped: [] };
  const memory = await peakMemory(all, here.rows, { sampleShape, signal });
  const elsewhere = await measureElsewhere(places, files, { ...options, title: 'this model' });
  const skipped = [...here.skipped, ...elsewhere.skipped];
  if (here.rows.length + elsewhere.rows.length === 0) {
    const reasons = skipped.map(({ what, why }) => `${what}: ${why}`);
    throw new UserError(
      `nothing was measured: ${reasons.join('; ') || 'there is no file'}`,
      'Follow the remedies in these reasons, or name other files.',
    );
  }
  return {
    measuredAt,
    machine: machineInfo(),
    cpuFeatures: cpuFeatures()?.flatMap(({ name, present }) => (present ? [name] : [])) ?? null,
    versions: libraryVersions(),
    loadAverage,
    rows: [
      ...here.rows.map((row): BenchRow => {
        const memoryBytes = memory.get(describe(row));
        return { ...withoutSessions(row), ...(memoryBytes !== undefined && { memoryBytes }) };
      }),
      ...elsewhere.rows.map(({ model, ...row }): BenchRow => ({ name: model, ...row })),
    ],
    comparisons: comparisonsOf(
      here.rows,
      all.map(({ name }) => name),
    ),
    skipped,
  };
}

function comparisonsOf(
  rows: readonly Latency[],
  [base = '', ...others]: readonly string[],
): BenchResult['comparisons'] {
  const settingOf = ({ device, batchSize, threads }: Latency): string =>
    `${device}, batch ${batchSize}, ${threads} thread${threads === 1 ? '' : 's'}`;
  return others.flatMap((file) =>
    rows
      .filter(({ name }) => name === file)
      .flatMap((row) => {
        const setting = settingOf(row);
        const first = rows.find(
          (other) => other.name === base && other.runtime === row.runtime && settingOf(other) === setting,
        );
        return first === undefined
          ? []
          : [{ file, base, setting: `${row.runtime} on ${setting}`, ...compareLatency(row, first) }];
      }),
  );
}
