import path from 'node:path';
import { decimals } from '../../base/numbers.ts';
import type { OnProgress } from '../../base/progress.ts';
import { compareLatency } from '../../measure/latency/compare.ts';
import { measureLatency } from '../../measure/latency/latency.ts';
import { sourceOf } from '../../measure/latency/variants.ts';
import type { TimedFile } from '../../measure/latency/variants.ts';
import { rowScore, scoreOf } from '../../report/score.ts';
import { scoreSentence, teacherModel } from '../../report/summary.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import type { Budget } from './budget.ts';
import { readModelFile } from '../../files/onnx-file.ts';

type Format = 'onnx' | 'tflite';

/** Runtimes in which files are judged. LiteRT's WebAssembly is excluded: it runs in browsers and says nothing about phones. */
const RUNTIMES: Readonly<Record<Format, { readonly runtime: string; readonly text: string }>> = {
  onnx: { runtime: 'onnxruntime', text: 'ONNX Runtime' },
  tflite: { runtime: 'tflite-native', text: 'native TensorFlow Lite' },
};

/** Speed of a file relative to the original in a runtime: factor and 99 % interval (null after too few sessions). */
export interface Speed {
  readonly factor: number;
  readonly interval: readonly [number, number] | null;
}

/** A file compared with the original. */
export interface FileBesideOriginal {
  readonly id: string;
  readonly file: string;
  readonly format: Format;
  /** Factor by which it is smaller. */
  readonly size: number;
  /** Loss of score, in points. */
  readonly drop: number;
  /** Undefined if it was not timed, such as for a budget without latency. */
  readonly speed: Speed | undefined;
  readonly verdict: 'within' | 'beyond' | 'not decided';
}

/** Speeds by the files' names in the folder. */
export type Speeds = ReadonlyMap<string, Speed>;

export interface SpeedOptions {
  /** Maximum seconds for the files of a format. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

const isMade = (row: ModelRow): row is ModelRow & { readonly file: string; readonly format: Format } =>
  row.model.role !== 'teacher' && row.file !== null;

/**
 * Times each file of a run beside the original in its format's runtime, one sample on one thread: ONNX files beside the original, TFLite files beside
 * its float32 TFLite file. Files take turns and are loaded many times. A runtime that is not installed is skipped.
 */
export async function speedsOf(
  report: Report,
  folder: string,
  original: TimedFile,
  { seconds, signal, onProgress }: SpeedOptions,
): Promise<Speeds> {
  const speeds = new Map<string, Speed>();
  for (const format of ['onnx', 'tflite'] as const) {
    const rows = report.models.filter(isMade).filter((row) => row.format === format);
    const files = await Promise.all(
      rows.map(async ({ file }) => ({ ...original, name: file, bytes: await readModelFile(path.join(folder, file)) })),
    );
    const first = format === 'onnx' ? { ...original, name: 'original.onnx' } : files[rows.findIndex(isTaken)];
    if (rows.length === 0 || first === undefined) continue;
    const all = format === 'onnx' ? [first, ...files] : files;
    const options = { batchSizes: [1], threads: [1], runtime: RUNTIMES[format].runtime };
    const settings = { budgetMs: 1000 * seconds, precision: 0.03, signal, ...(onProgress && { onProgress }) };
    const timed = await measureLatency(
      all.map((file) => sourceOf(file, options)),
      settings,
    );
    const latencyOf = (name: string) => timed.rows.find((row) => row.name === name);
    const reference = latencyOf(first.name);
    if (reference === undefined) continue;
    for (const { name } of files) {
      const latency = latencyOf(name);
      if (latency === undefined || latency === reference) continue;
      const { ratio, interval } = compareLatency(latency, reference);
      speeds.set(name, { factor: 1 / ratio, interval: interval && [1 / interval[1], 1 / interval[0]] });
    }
  }
  return speeds;
}

/** The student before cuts: the original. */
const isTaken = ({ model, precision }: ModelRow): boolean => model.role === 'distilled' && precision === 'fp32';

/** Every file of the run compared with the original, smallest first. */
export function besideOriginal(report: Report, budget: Budget, speeds: Speeds): FileBesideOriginal[] {
  const original = teacherModel(report);
  if (original === undefined) return [];
  return report.models
    .filter(isMade)
    .map((row): FileBesideOriginal => {
      const { id, file, format, sizeBytes } = row;
      const size = original.sizeBytes / sizeBytes;
      const drop = 100 * ((rowScore(original) ?? NaN) - (rowScore(row) ?? NaN));
      const speed = speeds.get(file);
      const isSmall = size >= budget.size && drop <= budget.drop;
      return { id, file, format, size, drop, speed, verdict: isSmall ? reached(speed, budget) : 'beyond' };
    })
    .sort((a, b) => b.size - a.size);
}

/** Decided if the whole interval lies on one side of the requested factor. */
function reached(speed: Speed | undefined, { latency }: Pick<Budget, 'latency'>): FileBesideOriginal['verdict'] {
  if (latency === 1) return 'within';
  const [low, high] = speed?.interval ?? [0, Infinity];
  return low >= latency ? 'within' : high < latency ? 'beyond' : 'not decided';
}

/** The comparison as text, with the files that meet the budget. */
export function besideText(report: Report, all: readonly FileBesideOriginal[], budget: Budget, folder: string): string {
  const lost = `points of ${scoreSentence(report).length > 0 ? 'agreement' : scoreOf(report).name} lost`;
  const lines = all.map(
    ({ id, size, drop, ...one }) =>
      `${id}: ${size.toFixed(1)}× smaller, ${speedText(one, budget)}, ${decimals(drop, 2)} ${lost}`,
  );
  const budgetText = `${budget.size}× smaller, ${budget.latency}× as fast, at most ${budget.drop} ${lost}`;
  const within = all.find(({ verdict }) => verdict === 'within');
  const open = all.filter(({ verdict }) => verdict === 'not decided');
  const end =
    within !== undefined
      ? [`within the budget of ${budgetText}: ${folder}/${within.file}`]
      : open.length === 0
        ? [`no file keeps within the budget of ${budgetText}`]
        : [];
  const undecided =
    open.length === 0
      ? []
      : [`not decided by the budget of ${budgetText}: ${open.map(({ id }) => id).join(', ')}; ${remedy(open)}`];
  return `${[`beside the original:`, ...lines.map((line) => `  ${line}`), ...end, ...undecided].join('\n')}\n`;
}

function speedText({ format, speed }: Pick<FileBesideOriginal, 'format' | 'speed'>, { latency }: Budget): string {
  const { text } = RUNTIMES[format];
  if (speed === undefined) return latency === 1 ? 'not timed' : `not timed in ${text}`;
  const { factor, interval } = speed;
  const than = format === 'tflite' ? ' as its float32 TFLite file' : '';
  const range = interval === null ? '' : ` (${interval.map((one) => one.toFixed(1)).join(' to ')})`;
  return `${factor.toFixed(1)}×${range} as fast${than} in ${text}`;
}

function remedy(open: readonly FileBesideOriginal[]): string {
  const differs = open.some(({ speed }) => speed !== undefined);
  const isMissing = open.some(({ speed, format }) => speed === undefined && format === 'tflite');
  return [
    ...(differs ? ['times differ too much from run to run: repeat the command on a quiet machine'] : []),
    ...(isMissing
      ? [
          'native TensorFlow Lite is timed where `koffi` and `tfjs-tflite-node` are installed, or time the files on the device with `limbeck bench`',
        ]
      : []),
    ...(differs || isMissing ? [] : ['ONNX Runtime gave no times: ask for size alone with --budget latency=1']),
  ].join('; ');
}
