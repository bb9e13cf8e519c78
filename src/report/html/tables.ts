import type { Score } from '../../tasks/score.ts';
import { fileScore, scoreOf } from '../score.ts';
import { compared, milliseconds, number, seconds, size } from '../format.ts';
import { commonLatency, finalModel, settingOf, speedOf, teacherModel } from '../summary.ts';
import type { LatencyRow, ModelRow, Report } from '../types.ts';
import { markup } from './markup.ts';
import type { Content, Markup } from './markup.ts';
import { key } from './charts/kinds.ts';

/** Most rows of a table, and items of a list, that are open: the others are folded. */
const OPEN = 12;

/** A table whose rows after the first dozen are folded. */
export function table(label: string, head: readonly string[], rows: readonly Content[], textColumns = 1): Markup {
  const rest = rows.slice(OPEN);
  return markup`${wholeTable(label, head, rows.slice(0, OPEN), textColumns)}
    ${folded(`${rest.length} more rows`, rest, () => wholeTable(`${label}, the other rows`, head, rest, textColumns))}`;
}

/** A list whose items after the first dozen are folded. */
export function list(items: readonly Content[]): Markup {
  const [first, rest] = [items.slice(0, OPEN), items.slice(OPEN)];
  const all = (some: readonly Content[]): Markup =>
    markup`<ul class="notes">${some.map((item) => markup`<li>${item}</li>`)}</ul>`;
  return markup`${all(first)}${folded(`${rest.length} more`, rest, () => all(rest))}`;
}

function folded(summary: string, rest: readonly Content[], content: () => Markup): Content {
  return rest.length === 0 ? '' : markup`<details><summary>${summary}</summary>${content()}</details>`;
}

/** A table that scrolls by itself on a narrow screen, with shadows where it goes on, and can be scrolled with the keyboard. */
export function wholeTable(label: string, head: readonly string[], rows: readonly Content[], textColumns = 1): Markup {
  const heads = head.map(
    (text, i) => markup`<th scope="col"${i < textColumns ? markup` class="text"` : ''}>${text}</th>`,
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${heads}</tr></thead>
      <tbody>${rows}</tbody></table></div>`;
}

/** Head of a row about a model, or about a part of it, such as a class. */
export function modelHead({ models }: Report, model: ModelRow, part?: string): Content {
  const small = part === undefined ? '' : markup`<small>${part}</small>`;
  return markup`<th scope="row">${key(models.indexOf(model))}${model.id}${small}</th>`;
}

export function textCells(values: readonly Content[]): Markup {
  return markup`${values.map((value) => markup`<td>${value}</td>`)}`;
}

/** Each model with what it cost and what it gained. */
export function modelsTable(report: Report): Content {
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
      markup`${scoreCell(score, model.score.test)}${beside === undefined ? '' : change(score, fileScore(model), fileScore(beside))}${ofRepeats(model, score)}`,
      sizeBytes > 0
        ? markup`${size(sizeBytes)}${ratio(beside && beside.sizeBytes / sizeBytes)}${zipped(gzipBytes)}${bar(sizeBytes / largest)}`
        : '',
      number(params),
      macs === null ? '–' : number(macs),
      ...(hasLatency ? [latencyCell(model, beside)] : []),
      took > 0 ? seconds(took) : '–',
    ];
    const kind = file === null ? precision : `${precision}, ${file}`;
    const name = markup`<th scope="row">${key(i)}${id}<small>${kind}</small></th>`;
    return markup`<tr${model === final ? markup` class="chosen"` : ''}>${name}${textCells(cells)}</tr>`;
  });
  const head = ['model', 'validation', 'test', 'size', 'parameters', 'MACs'];
  return wholeTable('Models', [...head, ...(hasLatency ? ['latency'] : []), 'training'], rows);
}

function zipped(bytes: number | undefined): Content {
  return bytes === undefined ? '' : markup`<small>${size(bytes)} zipped</small>`;
}

function scoreCell(score: Score, value: number | null): Content {
  return value === null ? '–' : score.text(value);
}

function ofRepeats({ repeats }: ModelRow, score: Score): Content {
  if (repeats === undefined) return '';
  const { mean, interval, scores } = repeats;
  return markup`<small>mean of ${scores.length}: ${score.text(mean)} (${interval.map(score.text).join(' to ')})</small>`;
}

function change(score: Score, own: number | null, other: number | null): Content {
  return own === null || other === null ? '' : markup`<small>${score.change(own - other)}</small>`;
}

function ratio(value: number | undefined): Content {
  if (value === undefined || !Number.isFinite(value) || value === 0) return '';
  return markup`<small>${compared(value, 'less', 'more') ?? 'the same'}</small>`;
}

/** Speed beside another model, small. */
export function speedNote(pair: readonly [LatencyRow, LatencyRow]): Markup {
  const { text, range, isDecided } = speedOf(pair);
  return markup`<small>${text ?? (isDecided ? 'the same' : 'not decided')}${text === undefined && isDecided ? '' : range}</small>`;
}

function bar(share: number): Content {
  return markup`<span class="bar" aria-hidden="true"><i style="width:${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%"></i></span>`;
}

function latencyCell(model: ModelRow, beside: ModelRow | undefined): Content {
  const pair = beside === undefined ? undefined : commonLatency(model, beside);
  const order = (a: LatencyRow, b: LatencyRow): number =>
    a.batchSize - b.batchSize || a.threads - b.threads || a.p50Ms - b.p50Ms;
  const row = pair?.[0] ?? [...model.latency].sort(order)[0];
  if (row === undefined) return '–';
  return markup`${milliseconds(row.p50Ms)}${pair === undefined ? '' : speedNote(pair)}`;
}

/** Rows of another measurement did not take turns with the others. */
function later({ measuredAt }: LatencyRow): Content {
  return measuredAt === undefined
    ? ''
    : markup`<small>measured ${measuredAt.slice(0, 16).replace('T', ' ')} UTC</small>`;
}

export function latencyTable({ models }: Report): Content {
  const rows = models.flatMap(({ id, latency }, kind) =>
    latency.map((row) => {
      const cells = [
        String(row.batchSize),
        String(row.threads),
        markup`${milliseconds(row.p50Ms)}${
          row.intervalMs === undefined || row.intervalMs === null
            ? ''
            : markup`<small>${milliseconds(row.intervalMs[0])} to ${milliseconds(row.intervalMs[1])}</small>`
        }`,
        milliseconds(row.p95Ms),
        row.p99Ms === undefined ? '–' : milliseconds(row.p99Ms),
        number(row.throughputPerSecond),
        row.runs === undefined ? '–' : number(row.runs),
        row.memoryBytes === undefined || row.memoryBytes === null ? '–' : size(row.memoryBytes),
      ];
      const place = markup`<td class="text">${row.runtime} on ${row.device}${later(row)}</td>`;
      return markup`<tr><th scope="row">${key(kind)}${id}</th>${place}${textCells(cells)}</tr>`;
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
  return wholeTable('Latency', head, rows, 2);
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
