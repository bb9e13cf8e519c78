import { scoreOf } from '../score.ts';
import { sameClass } from '../summary.ts';
import type { Report } from '../types.ts';

const HEAD = [
  'run',
  'model',
  'stage',
  'format',
  'precision',
  'file',
  'params',
  'macs',
  'size_bytes',
  'validation_accuracy',
  'test_accuracy',
  'training_seconds',
  'calibration_error',
  'roc_auc',
  'macro_f1',
  'log_loss',
  'teacher_agreement',
  'runtime',
  'device',
  'batch_size',
  'threads',
  'p50_ms',
  'p95_ms',
  'p99_ms',
  'throughput_per_second',
  'p50_low_ms',
  'p50_high_ms',
  'runs',
  'sessions',
  'memory_bytes',
  'measured_at',
] as const;

/** Columns of a setting that a model was timed in: from `runtime` on. */
const TIMED = HEAD.length - HEAD.indexOf('runtime');

/**
 * One row per model and setting that it was timed in; one row for a model that was not timed. RFC 4180. `p50_low_ms` and
 * `p50_high_ms` are the 95 % interval of the median; `measured_at` is empty for what the run itself measured.
 */
export function reportCsv(report: Report): string {
  const rows = report.models.flatMap((model) => {
    const { id, stage, format, precision, file, params, macs, sizeBytes, seconds, latency } = model;
    const { validation, test } = model.score;
    const ece = model.calibration?.ece ?? null;
    const same = model.agreement === undefined ? null : sameClass(model.agreement);
    const own = [
      report.name,
      id,
      stage,
      format,
      precision,
      file,
      params,
      macs,
      sizeBytes,
      validation,
      test,
      seconds,
      ece,
      model.classFigures?.auc ?? null,
      model.classFigures?.macroF1 ?? null,
      model.classFigures?.logLoss ?? null,
      same,
    ];
    const timed = latency.map((row) => [
      row.runtime,
      row.device,
      row.batchSize,
      row.threads,
      row.p50Ms,
      row.p95Ms,
      row.p99Ms ?? null,
      row.throughputPerSecond,
      row.intervalMs?.[0] ?? null,
      row.intervalMs?.[1] ?? null,
      row.runs ?? null,
      row.sessions ?? null,
      row.memoryBytes ?? null,
      row.measuredAt ?? null,
    ]);
    return (timed.length === 0 ? [Array.from({ length: TIMED }, () => null)] : timed).map((row) => [...own, ...row]);
  });
  // Another score has a column of its own name.
  const score = scoreOf(report).name.replace(/ /g, '_').toLowerCase();
  const head = HEAD.map((name) => name.replace(/^(validation|test)_accuracy$/, `$1_${score}`));
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
