import type { Score } from '../../tasks/score.ts';
import { scoreOf } from '../score.ts';
import { compared, milliseconds, number, seconds, size } from '../format.ts';
import { commonLatency, fileScore, finalModel, settingOf, teacherModel } from '../summary.ts';
import type { LatencyRow, ModelRow, Report } from '../types.ts';
import { escape } from './escape.ts';
import { key } from './charts/kinds.ts';

/** A table that scrolls by itself on a narrow screen, and can be scrolled with the keyboard. */
export function table(label: string, head: readonly string[], rows: readonly string[], textColumns = 1): string {
  const heads = head.map((text, i) => `<th scope="col"${i < textColumns ? ' class="text"' : ''}>${escape(text)}</th>`);
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escape(label)}"><table><thead><tr>${heads.join('')}</tr></thead>` +
    `<tbody>${rows.join('')}</tbody></table></div>`
  );
}

/** Head of a row about a model, or about a part of it, such as a class. */
export function modelHead({ models }: Report, model: ModelRow, part?: string): string {
  const small = part === undefined ? '' : `<small>${escape(part)}</small>`;
  return `<th scope="row">${key(models.indexOf(model))}${escape(model.id)}${small}</th>`;
}

export function textCells(values: readonly string[]): string {
  return values.map((value) => `<td>${escape(value)}</td>`).join('');
}

/** Each model with what it cost and what it gained. */
export function modelsTable(report: Report): string {
  const { models } = report;
  const score = scoreOf(report);
  const [teacher, final] = [teacherModel(report), finalModel(report)];
  const hasLatency = models.some(({ latency }) => latency.length > 0);
  const largest = Math.max(...models.map(({ sizeBytes }) => sizeBytes));
  const rows = models.map((model, i) => {
    const { id, precision, params, macs, sizeBytes, gzipBytes, seconds: took, file } = model;
    const beside = teacher === undefined || teacher === model ? undefined : teacher;
    const cells = [
      scoreCell(score, model.score.validation),
      `${scoreCell(score, model.score.test)}${beside === undefined ? '' : change(score, fileScore(model), fileScore(beside))}${ofRepeats(model, score)}`,
      sizeBytes > 0
        ? `${size(sizeBytes)}${ratio(beside && beside.sizeBytes / sizeBytes)}${zipped(gzipBytes)}${bar(sizeBytes / largest)}`
        : '',
      number(params),
      macs === null ? '–' : number(macs),
      ...(hasLatency ? [latencyCell(model, beside)] : []),
      took > 0 ? seconds(took) : '–',
    ];
    const kind = file === null ? precision : `${precision}, ${file}`;
    const name = `<th scope="row">${key(i)}${escape(id)}<small>${escape(kind)}</small></th>`;
    return `<tr${model === final ? ' class="chosen"' : ''}>${name}${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const head = ['model', 'validation', 'test', 'size', 'parameters', 'MACs'];
  return table('Models', [...head, ...(hasLatency ? ['latency'] : []), 'training'], rows);
}

function zipped(bytes: number | undefined): string {
  return bytes === undefined ? '' : `<small>${size(bytes)} zipped</small>`;
}

function scoreCell(score: Score, value: number | null): string {
  return value === null ? '–' : score.text(value);
}

function ofRepeats({ repeats }: ModelRow, score: Score): string {
  if (repeats === undefined) return '';
  const { mean, interval, scores } = repeats;
  return `<small>mean of ${scores.length}: ${score.text(mean)} (${interval.map(score.text).join(' to ')})</small>`;
}

function change(score: Score, own: number | null, other: number | null): string {
  return own === null || other === null ? '' : `<small>${escape(score.change(own - other))}</small>`;
}

function ratio(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value) || value === 0) return '';
  return `<small>${compared(value, 'less', 'more') ?? 'the same'}</small>`;
}

function bar(share: number): string {
  return `<span class="bar" aria-hidden="true"><i style="width:${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%"></i></span>`;
}

function latencyCell(model: ModelRow, beside: ModelRow | undefined): string {
  const pair = beside === undefined ? undefined : commonLatency(model, beside);
  const order = (a: LatencyRow, b: LatencyRow): number =>
    a.batchSize - b.batchSize || a.threads - b.threads || a.p50Ms - b.p50Ms;
  const row = pair?.[0] ?? [...model.latency].sort(order)[0];
  if (row === undefined) return '–';
  return `${milliseconds(row.p50Ms)}${ratio(pair && pair[1].p50Ms / pair[0].p50Ms)}`;
}

/** Rows of another measurement did not take turns with the others. */
function later({ measuredAt }: LatencyRow): string {
  return measuredAt === undefined
    ? ''
    : `<small>measured ${escape(measuredAt.slice(0, 16).replace('T', ' '))} UTC</small>`;
}

export function latencyTable({ models }: Report): string {
  const rows = models.flatMap(({ id, latency }, kind) =>
    latency.map((row) => {
      const cells = [
        String(row.batchSize),
        String(row.threads),
        milliseconds(row.p50Ms) +
          (row.intervalMs === undefined || row.intervalMs === null
            ? ''
            : `<small>${milliseconds(row.intervalMs[0])} to ${milliseconds(row.intervalMs[1])}</small>`),
        milliseconds(row.p95Ms),
        row.p99Ms === undefined ? '–' : milliseconds(row.p99Ms),
        number(row.throughputPerSecond),
        row.runs === undefined ? '–' : number(row.runs),
        row.memoryBytes === undefined || row.memoryBytes === null ? '–' : size(row.memoryBytes),
      ];
      const place = `<td class="text">${escape(row.runtime)} on ${escape(row.device)}${later(row)}</td>`;
      return `<tr><th scope="row">${key(kind)}${escape(id)}</th>${place}${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
    }),
  );
  const head = [
    'model',
    'runtime',
    'batch',
    'threads',
    'median (95 % interval)',
    '95 %',
    '99 %',
    'samples/s',
    'runs',
    'peak memory',
  ];
  return table('Latency', head, rows, 2);
}

/** Settings of one runtime and number of threads, in which batch sizes can be compared. */
export function seriesOf(
  { models }: Report,
  value: (row: LatencyRow) => number,
): { name: string; kind: number; points: [number, number][] }[] {
  const threads = Math.min(...models.flatMap(({ latency }) => latency.map((row) => row.threads)));
  return models.flatMap(({ id, latency }, kind) => {
    const first = latency.find((row) => row.threads === threads);
    if (first === undefined) return [];
    const own = latency.filter((row) => settingOf({ ...row, batchSize: 1 }) === settingOf({ ...first, batchSize: 1 }));
    const series = own.map((row): [number, number] => [row.batchSize, value(row)]);
    return [{ name: id, kind, points: series.sort((a, b) => a[0] - b[0]) }];
  });
}
