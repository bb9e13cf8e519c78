import { chart, frameOf, marker, path, px } from './chart.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';

export interface Line {
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
export function lineChart(lines: readonly Line[], options: LinesOptions): string {
  const frame = frameOf(460, 280, 88);
  const all = lines.flatMap(({ points }) => points);
  const xs = all.map(([x]) => x);
  const x = scaleOf(xs, [frame.left + 6, frame.right - 6], {
    bounds: [Math.min(...xs), Math.max(...xs)],
    ...(options.logX === true && { logAbove: 1 }),
  });
  const y = scaleOf(
    all.map(([, value]) => value),
    [frame.bottom, frame.top],
    { ...(options.bounds && { bounds: options.bounds }), logAbove: options.logAbove ?? Infinity },
  );
  const drawn = lines.map(({ points, kind, marked, isFaint }) => {
    const places = points.map(([a, b]) => [x.place(a), y.place(b)] as const);
    const line = `<path class="line s${kind % 6}${isFaint === true ? ' faint' : ''}" d="${path(places)}"/>`;
    const chosen = places.filter((_, i) => options.dots === true || points.length === 1 || points[i]![0] === marked);
    const marks = chosen.map(([a, b]) => `<g class="mark s${kind % 6}">${marker(kind, a, b, 5)}</g>`);
    return isFaint === true ? line : line + marks.join('');
  });
  const told = lines
    .filter(({ isFaint }) => isFaint !== true)
    .map(({ name, points }) => `${name} from ${options.yText(points[0]![1])} to ${options.yText(points.at(-1)![1])}`);
  const svg = chart(
    frame,
    `${options.title}. ${told.join('; ')}.`,
    { scale: { ...x, ticks: whole(x.ticks) }, label: options.x, text: (value) => String(value) },
    { scale: y, label: options.y, text: options.yText },
    drawn.join(''),
    'small',
  );
  return `<figure><figcaption>${escape(options.title)}</figcaption>${svg}${legend(lines)}</figure>`;
}

function whole(ticks: readonly number[]): number[] {
  return ticks.filter(Number.isInteger);
}

function legend(lines: readonly Line[]): string {
  const named = lines.filter(({ isFaint }) => isFaint !== true);
  const items = named.map(
    ({ name, kind }) =>
      `<li><svg viewBox="0 0 34 12" width="34" height="12" aria-hidden="true"><path class="line s${kind % 6}" d="M0 6H34"/>` +
      `<g class="mark s${kind % 6}">${marker(kind, 17, 6, Number(px(4.5)))}</g></svg>${escape(name)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}
