import type { LineSeriesOption } from 'echarts';
import { gridOf, valueAxis } from './axes.ts';
import { chart } from './chart.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';
import { colourOf, dashOf, lineKey, symbolOf } from './kinds.ts';

export interface ChartLine {
  readonly name: string;
  /** The place of the model in the report: its colour, dashes and marker are the same everywhere. */
  readonly kind: number;
  readonly points: readonly (readonly [number, number])[];
  /** A point to mark, by its x. */
  readonly marked?: number | null;
  /** Thin: there to be compared with. */
  readonly isFaint?: boolean;
}

export interface LinesOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly yText: (value: number) => string;
  readonly bounds?: readonly [number, number];
  readonly logX?: boolean;
  readonly logAbove?: number;
  /** Mark every point. */
  readonly dots?: boolean;
}

/** Lines over one pair of axes, with a legend. */
export function lineChart(lines: readonly ChartLine[], options: LinesOptions): Content {
  const { title, yText, bounds, logAbove = Infinity } = options;
  const points = lines.flatMap((line) => line.points);
  const named = lines.filter(({ isFaint }) => isFaint !== true);
  const told = named.map(({ name, points: own }) => `${name} from ${yText(own[0]![1])} to ${yText(own.at(-1)![1])}`);
  const log = { values: points.map(([, value]) => value), above: logAbove };
  const svg = chart({
    width: 460,
    height: 280,
    title: `${title}. ${told.join('; ')}.`,
    option: () => ({
      grid: gridOf({ left: 88, right: 20 }),
      xAxis: xAxis(
        options,
        points.map(([x]) => x),
      ),
      yAxis: valueAxis({ name: options.y, text: yText, log, gap: 72, ...(bounds && { bounds }) }),
      series: lines.map((line) => series(line, options.dots === true)),
    }),
  });
  const legend = named.map(({ name, kind }) => markup`<li>${lineKey(kind)}${name}</li>`);
  return markup`<figure><figcaption>${title}</figcaption>${svg}<ul class="legend">${legend}</ul></figure>`;
}

/** Axis from the first to the last value, in whole numbers: epochs, or batch sizes by powers of two. */
function xAxis({ x: name, logX }: LinesOptions, xs: readonly number[]) {
  const [min, max] = [Math.min(...xs), Math.max(...xs)];
  const log = logX === true ? { log: { values: xs, above: 1 } } : {};
  return {
    ...valueAxis({ name, text: (value) => (Number.isInteger(value) ? String(value) : ''), ...log }),
    ...(min < max && { min, max }),
    minInterval: 1,
  };
}

function series({ kind, points, marked, isFaint }: ChartLine, dots: boolean): LineSeriesOption {
  const isMarked = (x: number): boolean => isFaint !== true && (dots || points.length === 1 || x === marked);
  return {
    type: 'line',
    data: points.map(([x, y]) => ({ value: [x, y], ...(isMarked(x) ? symbolOf(kind, 10) : { symbol: 'none' }) })),
    silent: true,
    clip: false,
    showAllSymbol: true,
    lineStyle: {
      color: colourOf(kind),
      type: dashOf(kind),
      join: 'round',
      ...(isFaint === true ? { width: 1.2, opacity: 0.55 } : { width: 2.2 }),
    },
    itemStyle: { color: colourOf(kind), borderColor: 'var(--card)', borderWidth: 1 },
  };
}
