import { milliseconds, number, percent, size } from '../format.ts';
import { frontOf } from '../search.ts';
import type { Report, Search, SearchPoint } from '../types.ts';
import { chart, frameOf, marker, px } from './chart.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';
import { key, table } from './tables.ts';

/** What a search within a budget tried, what of it is worth having, and which student was picked. */
export function searchSection({ search }: Report): string {
  if (search === undefined) return '';
  const { target, points } = search;
  const place = `${target.runtime}, batch ${target.batchSize}, ${target.threads} thread${target.threads === 1 ? '' : 's'}`;
  const limits = [
    ...(target.p95Ms === undefined ? [] : [`95 % of calls within ${milliseconds(target.p95Ms)}`]),
    ...(target.sizeKb === undefined ? [] : [`at most ${size(1000 * target.sizeKb)}`]),
    ...(target.maxDrop === undefined ? [] : [`at most ${target.maxDrop} points below the teacher`]),
  ];
  const legend = precisionsOf(search).map((precision, kind) => `<li>${key(kind)}${escape(precision)}</li>`);
  return (
    `<section id="search"><h2>Search within a budget</h2><p>Budget: ${escape(limits.join(', '))}, in ${escape(place)}. ` +
    `The search found: ${escape(search.sentence)}.</p><ul class="legend">${legend.join('')}</ul>${cloud(search)}` +
    `<h3>Pareto set</h3><p>Nothing else that was measured is at least as accurate, as fast and as small, and better in one of them.</p>` +
    `${pointsTable('Pareto set', search, frontOf(search))}<details><summary>All ${points.length} measured students</summary>` +
    `${pointsTable('All measured students', search, points)}</details></section>`
  );
}

function precisionsOf({ points }: Search): string[] {
  return [...new Set(points.map(({ precision }) => precision))];
}

/** Twice: for wide screens and for phones. */
function cloud(search: Search): string {
  return cloudOf(search, 760, 340, 'wide') + cloudOf(search, 350, 280, 'narrow');
}

function cloudOf(search: Search, width: number, height: number, className: string): string {
  const { points, target, pick } = search;
  const frame = frameOf(width, height);
  const wanted = width < 500 ? 4 : 5;
  const times = [...points.map(({ p95Ms }) => p95Ms), ...(target.p95Ms === undefined ? [] : [target.p95Ms])];
  const x = scaleOf(times, [frame.left + 16, frame.right - 16], { logAbove: 6, bounds: [0, Infinity], wanted });
  const accuracies = points.map(({ validation }) => validation);
  const y = scaleOf(accuracies, [frame.bottom, frame.top], { bounds: [0, 1], wanted });
  const precisions = precisionsOf(search);
  const marks = points.map((point) => {
    const [cx, cy] = [x.place(point.p95Ms), y.place(point.validation)];
    const kind = precisions.indexOf(point.precision);
    const title = `${titleOf(point)}${point.id === pick ? '; picked' : ''}`;
    const ring = point.id === pick ? `<circle class="front" cx="${px(cx)}" cy="${px(cy)}" r="12"/>` : '';
    return (
      `<g class="point s${kind % 6}${point.onFront ? '' : ' beaten'}" tabindex="0" role="img" aria-label="${escape(title)}"><title>${escape(title)}</title>` +
      `<circle class="target" cx="${px(cx)}" cy="${px(cy)}" r="13"/>${ring}${marker(kind, cx, cy, 5)}</g>`
    );
  });
  const limit =
    target.p95Ms === undefined
      ? ''
      : `<line class="axis" stroke-dasharray="5 4" x1="${px(x.place(target.p95Ms))}" x2="${px(x.place(target.p95Ms))}" y1="${frame.top}" y2="${frame.bottom}"/>`;
  return chart(
    frame,
    `Accuracy against latency of ${points.length} students that the search measured; the table below has the figures.`,
    { scale: x, label: 'latency, 95 % of calls', text: milliseconds },
    { scale: y, label: 'validation', text: (value) => `${Number((100 * value).toFixed(2))} %` },
    limit + marks.join(''),
    className,
  ).replace('role="img"', 'role="group"');
}

function titleOf(point: SearchPoint): string {
  const { id, validation, p95Ms, sizeBytes, onFront } = point;
  return `${id}: ${percent(validation)}, ${milliseconds(p95Ms)}, ${size(sizeBytes)}${onFront ? '; in the Pareto set' : ''}`;
}

function pointsTable(label: string, { pick }: Search, points: readonly SearchPoint[]): string {
  const rows = points.map((point) => {
    const cells = [
      `× ${point.width}`,
      percent(point.amount),
      point.precision,
      String(Number(point.epochs.toFixed(2))),
      percent(point.validation),
      milliseconds(point.p95Ms),
      size(point.sizeBytes),
      number(point.params),
      point.withinBudget ? 'yes' : 'no',
    ];
    const name = `<th scope="row">${escape(point.id)}${point.id === pick ? ' <small>(picked)</small>' : ''}</th>`;
    return `<tr${point.id === pick ? ' class="chosen"' : ''}>${name}${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const head = ['student', 'width', 'MACs pruned', 'format', 'epochs', 'validation', '95 %', 'size', 'parameters'];
  return table(label, [...head, 'within budget'], rows);
}
