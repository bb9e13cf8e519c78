import { sameClass } from './summary.ts';
import type { Report } from './types.ts';

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
  'teacher_agreement',
  'runtime',
  'device',
  'batch_size',
  'threads',
  'p50_ms',
  'p95_ms',
  'p99_ms',
  'throughput_per_second',
] as const;

/** One row per model and setting that it was timed in; one row for a model that was not timed. RFC 4180. */
export function reportCsv(report: Report): string {
  const rows = report.models.flatMap((model) => {
    const { id, stage, format, precision, file, params, macs, sizeBytes, accuracy, seconds, latency } = model;
    const { validation, test } = accuracy;
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
    ]);
    return (timed.length === 0 ? [Array.from({ length: 8 }, () => null)] : timed).map((row) => [...own, ...row]);
  });
  return [[...HEAD], ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
