import type { EChartsOption } from 'echarts';
import { percent, shortPercent } from '../format.ts';
import { paretoFront } from '../summary.ts';
import { gridOf, NAME, PERCENT_ROOM, valueAxis } from './axes.ts';
import { chart, plain } from './chart.ts';
import type { Place } from './chart.ts';
import type { Cost, Point } from './costs.ts';
import { escape } from './escape.ts';
import { colourOf, symbolOf } from './kinds.ts';
import { besideMarks } from './labels.ts';
import { target } from './targets.ts';

/** Runtimes are told apart by letters where a chart holds several. */
export function letterOf(i: number): string {
  return String.fromCharCode(65 + (i % 26));
}

/** Accuracy over a cost, twice: for wide screens and for phones, where letters would become too small. */
export function scatter(points: readonly Point[], cost: Cost, places: readonly string[]): string {
  const front = paretoFront(points);
  const runtimeOf = ({ place }: Point): string | undefined => (places.length > 0 ? place : undefined);
  const told = points.map((point) => {
    const runtime = runtimeOf(point);
    return `${point.id}${runtime === undefined ? '' : ` in ${runtime}`}: ${percent(point.accuracy)}, ${cost.text(point.cost)}`;
  });
  const names = points.map((point) => {
    const runtime = runtimeOf(point);
    return runtime === undefined ? plain(point.id) : letterOf(places.indexOf(runtime));
  });
  const drawn = (width: number, height: number, ticks: number, className: string): string =>
    chart({
      ...{ width, height, className },
      title: `Accuracy against ${cost.name}. ${told.join('; ')}. Pareto front: ${front.map(({ id }) => id).join(', ')}.`,
      option: (place) => ({ ...axes(points, cost, ticks), series: series(points, front, names, place, width) }),
      overlay: (place) =>
        `<text class="hint" x="${PERCENT_ROOM}" y="12">Point at a mark, or tab to it, for its figures.</text>` +
        points.map((point) => readout(point, cost, front, place)).join(''),
    });
  return drawn(760, 400, 5, 'wide') + drawn(350, 330, 3, 'narrow');
}

function axes(points: readonly Point[], cost: Cost, ticks: number): EChartsOption {
  const log = { values: points.map((point) => point.cost), above: 6 };
  return {
    // Room above the plot for the figures of the mark that is pointed at.
    grid: gridOf({ top: 46, left: PERCENT_ROOM, right: 34 }),
    xAxis: valueAxis({ name: cost.name, text: cost.text, log, ticks, bounds: [0, Infinity] }),
    yAxis: valueAxis({ name: 'accuracy', text: shortPercent, ticks, bounds: [0, 1], gap: 56 }),
  };
}

function series(
  points: readonly Point[],
  front: readonly Point[],
  names: readonly string[],
  place: Place,
  width: number,
): NonNullable<EChartsOption['series']> {
  const at = ({ cost, accuracy }: Point): [number, number] => [cost, accuracy];
  return [
    {
      type: 'line',
      step: 'end',
      data: front.map(at),
      ...{ symbol: 'none', silent: true, clip: false },
      lineStyle: { color: 'var(--accent)', width: 2, type: [2, 5], cap: 'round' },
    },
    {
      type: 'scatter',
      data: points.map((point) => ({
        value: at(point),
        ...symbolOf(point.kind, 13),
        itemStyle: {
          color: front.includes(point) ? colourOf(point.kind) : 'var(--card)',
          borderColor: colourOf(point.kind),
          ...{ borderWidth: 2, opacity: 1 },
        },
      })),
      ...{ silent: true, clip: false, z: 3 },
      label: { show: true, formatter: ({ dataIndex }) => names[dataIndex]!, ...NAME },
      labelLayout: besideMarks(points.map(at), place, width),
    },
  ];
}

/** The figures of a mark, above the chart while it is pointed at or has the focus. */
function readout(point: Point, cost: Cost, front: readonly Point[], place: Place): string {
  const name = `${point.id}${point.place === undefined ? '' : `, ${point.place}`}`;
  const figures = `${percent(point.accuracy)} right, ${cost.text(point.cost)}${front.includes(point) ? '; on the Pareto front' : ''}`;
  return target(
    place(point.cost, point.accuracy),
    `${name}: ${figures}`,
    `<g class="readout"><text class="name" x="${PERCENT_ROOM}" y="12">${escape(name)}</text>` +
      `<text x="${PERCENT_ROOM}" y="29">${escape(figures)}</text></g>`,
  );
}
