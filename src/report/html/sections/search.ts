import type { ScatterSeriesOption } from 'echarts';
import { percent } from '../../../base/numbers.ts';
import type { Score } from '../../../tasks/score.ts';
import { capital, milliseconds, number, size } from '../../format.ts';
import { axisText, scoreOf } from '../../score.ts';
import { frontOf } from '../../tables/search.ts';
import type { Report, Search, SearchPoint } from '../../types.ts';
import { gridOf, limitLine, PERCENT_GAP, PERCENT_ROOM, valueAxis } from '../charts/axes.ts';
import { chart, forScreens } from '../charts/chart.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { key, markSeries } from '../charts/kinds.ts';
import { textCells, wholeTable } from '../tables.ts';
import { target } from '../charts/targets.ts';

/** Students that a search within a budget tried, those worth having, and the one that was picked. */
export function searchSection(report: Report): Content {
  const { search } = report;
  const score = scoreOf(report);
  if (search === undefined) return '';
  const { target, points } = search;
  const place = `${target.runtime}, batch ${target.batchSize}, ${target.threads} thread${target.threads === 1 ? '' : 's'}`;
  const limits = [
    ...(target.p95Ms === undefined ? [] : [`95 % of calls within ${milliseconds(target.p95Ms)}`]),
    ...(target.sizeKb === undefined ? [] : [`at most ${size(1000 * target.sizeKb)}`]),
    ...(target.maxDrop === undefined ? [] : [`at most ${score.dropText(target.maxDrop)} the teacher`]),
  ];
  const legend = precisionsOf(search).map((precision, kind) => markup`<li>${key(kind)}${precision}</li>`);
  return markup`<section id="search"><h2>Search within a budget</h2><p>Budget: ${limits.join(', ')}, in ${place}.
      The search found: ${search.sentence}.</p><ul class="legend">${legend}</ul>${cloud(search, score)}
      <h3>Pareto set</h3><p>Nothing else that was measured is at least as good in ${score.name}, as fast and as small, and better in one of them.</p>
      ${pointsTable('Pareto set', search, frontOf(search, score), score)}<details><summary>All ${points.length} measured students</summary>
      ${pointsTable('All measured students', search, points, score)}</details></section>`;
}

function precisionsOf({ points }: Search): string[] {
  return [...new Set(points.map(({ precision }) => precision))];
}

function cloud(search: Search, score: Score): Content {
  const { points, target: budget, pick } = search;
  const limit = budget.p95Ms === undefined ? [] : [budget.p95Ms];
  const log = { values: [...points.map(({ p95Ms }) => p95Ms), ...limit], above: 6 };
  const precisions = precisionsOf(search);
  const atOf = ({ p95Ms, validation }: SearchPoint) => [p95Ms, validation] as const;
  const marks = points.map((point) => ({
    at: atOf(point),
    kind: precisions.indexOf(point.precision),
    size: 10,
    isHollow: !point.onFront,
  }));
  return forScreens(({ width, ticks, className }) =>
    chart({
      width,
      height: className === 'wide' ? 340 : 280,
      className,
      title: `${capital(score.name)} against latency of ${points.length} students that the search measured; the table below has the figures.`,
      option: () => ({
        grid: gridOf({ top: 30, left: PERCENT_ROOM, right: 34 }),
        xAxis: valueAxis({ name: 'latency, 95 % of calls', text: milliseconds, log, ticks, bounds: [0, Infinity] }),
        yAxis: valueAxis({ name: 'validation', text: axisText(score), ticks, bounds: score.bounds, gap: PERCENT_GAP }),
        series: [
          ...limit.map((ms) => limitLine(ms, points[0]!.validation, 'budget')),
          ring(points.filter(({ id }) => id === pick).map(atOf)),
          markSeries(marks),
        ],
      }),
      overlay: (place) =>
        markup`${points.map((point) => {
          const title = `${titleOf(point, score)}${point.id === pick ? '; picked' : ''}`;
          return target(place(...atOf(point)), title, markup`<title>${title}</title>`);
        })}`,
    }),
  );
}

/** Ring around the student that was picked. */
function ring(places: readonly (readonly [number, number])[]): ScatterSeriesOption & { type: 'scatter' } {
  return {
    type: 'scatter',
    data: places.map((at) => [...at]),
    symbol: 'circle',
    symbolSize: 24,
    silent: true,
    clip: false,
    itemStyle: { color: 'none', borderColor: 'var(--accent)', borderWidth: 2, borderType: [2, 5], opacity: 1 },
  };
}

function titleOf(point: SearchPoint, score: Score): string {
  const { id, validation, p95Ms, sizeBytes, onFront } = point;
  return `${id}: ${score.text(validation)}, ${milliseconds(p95Ms)}, ${size(sizeBytes)}${onFront ? '; in the Pareto set' : ''}`;
}

function pointsTable(label: string, { pick }: Search, points: readonly SearchPoint[], score: Score): Content {
  const rows = points.map((point) => {
    const cells = [
      `× ${point.width}`,
      percent(point.amount),
      point.precision,
      String(Number(point.epochs.toFixed(2))),
      score.text(point.validation),
      milliseconds(point.p95Ms),
      size(point.sizeBytes),
      number(point.params),
      point.withinBudget ? 'yes' : 'no',
    ];
    const name = markup`<th scope="row">${point.id}${point.id === pick ? markup` <small>(picked)</small>` : ''}</th>`;
    return markup`<tr${point.id === pick ? markup` class="chosen"` : ''}>${name}${textCells(cells)}</tr>`;
  });
  const head = ['student', 'width', 'MACs pruned', 'format', 'epochs', 'validation', '95 %', 'size', 'parameters'];
  return wholeTable(label, [...head, 'within budget'], rows);
}
