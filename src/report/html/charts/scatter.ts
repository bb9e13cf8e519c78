import type { EChartsOption, LineSeriesOption } from 'echarts';
import type { Score } from '../../../tasks/score.ts';
import { capital } from '../../format.ts';
import { axisText } from '../../score.ts';
import { paretoFront } from '../../summary.ts';
import { gridOf, NAME, PERCENT_GAP, PERCENT_ROOM, valueAxis } from './axes.ts';
import { chart, forScreens } from './chart.ts';
import type { ToPixels } from './chart.ts';
import type { Cost, Point } from './costs.ts';
import { markup } from '../markup.ts';
import type { Content, Markup } from '../markup.ts';
import { colourOf, markSeries } from './kinds.ts';
import { besideMarks } from './labels.ts';
import { target } from './targets.ts';

/** Runtimes are told apart by letters where a chart holds several. */
export function letterOf(i: number): string {
  return String.fromCharCode(65 + (i % 26));
}

/** Accuracy over a cost, with the Pareto front. */
export function scatter(points: readonly Point[], cost: Cost, places: readonly string[], score: Score): Markup {
  const front = paretoFront(points, score);
  const runtimeOf = ({ place }: Point): string | undefined => (places.length > 0 ? place : undefined);
  const told = points.map((point) => {
    const runtime = runtimeOf(point);
    return `${point.id}${runtime === undefined ? '' : ` in ${runtime}`}: ${score.text(point.score)}, ${cost.text(point.cost)}`;
  });
  const names = points.map((point) => {
    const runtime = runtimeOf(point);
    return runtime === undefined ? point.id : letterOf(places.indexOf(runtime));
  });
  return forScreens(({ width, ticks, className }) =>
    chart({
      width,
      height: className === 'wide' ? 400 : 330,
      className,
      title: `${capital(score.name)} against ${cost.name}. ${told.join('; ')}. Pareto front: ${front.map(({ id }) => id).join(', ')}.`,
      option: (place) => ({ ...axes(points, cost, ticks, score), series: series(points, front, names, place, width) }),
      overlay: (place) =>
        markup`<text class="hint" x="${PERCENT_ROOM}" y="12">Point at a mark, or tab to it, for its figures.</text>
      ${points.map((point) => readout(point, cost, front, place, score))}`,
    }),
  );
}

function axes(points: readonly Point[], cost: Cost, ticks: number, score: Score): EChartsOption {
  const log = { values: points.map((point) => point.cost), above: 6 };
  return {
    // Room above the plot for the figures of the mark that is pointed at.
    grid: gridOf({ top: 46, left: PERCENT_ROOM, right: 34 }),
    xAxis: valueAxis({ name: cost.name, text: cost.text, log, ticks, bounds: [0, Infinity] }),
    yAxis: valueAxis({ name: score.name, text: axisText(score), ticks, bounds: score.bounds, gap: PERCENT_GAP }),
  };
}

function series(
  points: readonly Point[],
  front: readonly Point[],
  names: readonly string[],
  place: ToPixels,
  width: number,
): NonNullable<EChartsOption['series']> {
  const at = ({ cost, score }: Point): [number, number] => [cost, score];
  return [
    {
      type: 'line',
      step: 'end',
      data: front.map(at),
      symbol: 'none',
      silent: true,
      clip: false,
      lineStyle: { color: 'var(--accent)', width: 2, type: [2, 5], cap: 'round' },
    },
    ...points.flatMap(({ cost, kind, interval }) => (interval === undefined ? [] : [whisker(cost, kind, interval)])),
    {
      ...markSeries(
        points.map((point) => ({ at: at(point), kind: point.kind, size: 13, isHollow: !front.includes(point) })),
      ),
      label: { show: true, formatter: ({ dataIndex }: { dataIndex: number }) => names[dataIndex]!, ...NAME },
      labelLayout: besideMarks(points.map(at), place, width),
    },
  ];
}

/** Line from one end of an interval to the other, behind its mark. */
function whisker(cost: number, kind: number, interval: readonly [number, number]): LineSeriesOption {
  return {
    type: 'line',
    data: interval.map((end) => [cost, end]),
    silent: true,
    clip: false,
    symbol: 'rect',
    symbolSize: [9, 1.6],
    itemStyle: { color: colourOf(kind) },
    lineStyle: { color: colourOf(kind), width: 1.6 },
  };
}

/** The figures of a mark, above the chart while it is pointed at or has the focus. */
function readout(point: Point, cost: Cost, front: readonly Point[], place: ToPixels, score: Score): Content {
  const name = `${point.id}${point.place === undefined ? '' : `, ${point.place}`}`;
  const between = point.interval === undefined ? '' : ` on average (${point.interval.map(score.text).join(' to ')})`;
  const own = score.isShareRight ? `${score.text(point.score)} right` : `${score.name} ${score.text(point.score)}`;
  const figures = `${own}${between}, ${cost.text(point.cost)}${front.includes(point) ? '; on the Pareto front' : ''}`;
  return target(
    place(point.cost, point.score),
    `${name}: ${figures}`,
    markup`<g class="readout"><text class="name" x="${PERCENT_ROOM}" y="12">${name}</text>
      <text x="${PERCENT_ROOM}" y="29">${figures}</text></g>`,
  );
}
