import { loadavg } from 'node:os';
import { readBytes } from '../base/files.ts';
import { compareLatency } from '../measure/compare.ts';
import type { Comparison } from '../measure/compare.ts';
import { measureLatency, withoutSessions } from '../measure/latency.ts';
import type { Latency, Source } from '../measure/latency.ts';
import { cpuFeatures, machineInfo } from '../measure/machine.ts';
import type { MachineInfo } from '../measure/machine.ts';
import { sourceOf } from '../measure/variants.ts';
import type { VariantOptions } from '../measure/variants.ts';
import { versionOf } from './doctor.ts';

export interface BenchOptions extends VariantOptions {
  /** For all files together. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

export interface BenchResult {
  readonly machine: MachineInfo;
  readonly cpuFeatures: readonly string[] | null;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the last minute, when measuring began. */
  readonly loadAverage: number;
  readonly rows: readonly Omit<Latency, 'sessionMs'>[];
  /** Every file beside the first, in the settings that both have. */
  readonly comparisons: readonly (Comparison & {
    readonly file: string;
    readonly base: string;
    readonly setting: string;
  })[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** Time model files side by side. The same file given twice is told apart by a number. */
export async function benchFiles(files: readonly string[], options: BenchOptions): Promise<BenchResult> {
  const names = files.map((file, i) => {
    const earlier = files.slice(0, i).filter((other) => other === file).length;
    return earlier === 0 ? file : `${file} (${earlier + 1})`;
  });
  const loadAverage = loadavg()[0]!;
  const sources: Source[] = [];
  for (const [i, file] of files.entries()) {
    const format = /\.[^.]*$/.exec(file)?.[0].toLowerCase() ?? '';
    sources.push(sourceOf({ name: names[i]!, format, bytes: await readBytes(file) }, options));
  }
  const result = await measureLatency(sources, { budgetMs: 1000 * options.seconds, signal: options.signal });
  const libraries = ['onnxruntime-node', '@litertjs/core'];
  return {
    machine: machineInfo(),
    cpuFeatures: cpuFeatures()?.flatMap(({ name, present }) => (present ? [name] : [])) ?? null,
    versions: Object.fromEntries(libraries.map((name) => [name, versionOf(name)])),
    loadAverage,
    rows: result.rows.map(withoutSessions),
    comparisons: comparisonsOf(result.rows, names),
    skipped: result.skipped,
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
