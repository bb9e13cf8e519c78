import type { Element, PageEvent } from './dom.ts';
import { colourOf, dashOf, lineKey, make, say, svg } from './make.ts';
import { scaleBetween, scaleTo } from './scale.ts';

export interface Line {
  readonly name: string;
  readonly kind: number;
  /** Points in the order of x; null where there is no value, so that the line has a gap. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly yText: (value: number) => string;
  /** A moment, for its axis and for whoever reads a value there. */
  readonly xText: (x: number) => string;
  /** True if the axis begins at zero. */
  readonly fromZero?: boolean;
  /** True if lines end at different moments: while none is chosen, each tells its own last value. */
  readonly ownEnds?: boolean;
  /** Text shown while there are no lines. */
  readonly empty: string;
}

export interface Chart {
  readonly element: Element;
  readonly update: (lines: readonly Line[], range?: readonly [from: number, to: number]) => void;
}

const HEIGHT = 176;
const ROOM = { left: 54, right: 12, top: 10, bottom: 24 } as const;

/**
 * Lines over time that are drawn again at every update. A moment is read with the pointer or with the arrow keys: to a screen
 * reader it is a slider whose values are sentences.
 */
export function liveChart(options: ChartOptions): Chart {
  const { title } = options;
  const plot = svg('svg', { class: 'chart live', role: 'slider', tabindex: 0, 'aria-label': title });
  const when = make('span', { class: 'when' });
  const legend = make('ul', { class: 'legend' });
  const element = make('figure', { class: 'chart' }, make('figcaption', {}, title, when), plot, legend);
  let lines: readonly Line[] = [];
  let range: readonly [number, number] = [0, 1];
  let chosen: number | undefined;

  const xs = (): number[] => [...new Set(lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const draw = (): void => {
    const all = xs();
    const moment = chosen === undefined ? undefined : nearest(all, chosen);
    const width = Math.max(260, plot.clientWidth || 360);
    plot.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    plot.replaceChildren(...drawn(lines, range, width, moment, options));
    const at = moment ?? all.at(-1);
    const isEnd = moment === undefined && options.ownEnds === true;
    const values = lines.map((line) => (isEnd ? lastOf(line) : valueAt(line, at)));
    say(when, moment === undefined ? '' : options.xText(moment));
    showLegend(
      legend,
      lines,
      values.map((value) => (value === null ? '–' : options.yText(value))),
    );
    const told = lines.map(({ name }, i) => `${name} ${values[i] === null ? 'no value' : options.yText(values[i]!)}`);
    plot.setAttribute('aria-valuemin', '0');
    plot.setAttribute('aria-valuemax', String(Math.max(0, all.length - 1)));
    plot.setAttribute('aria-valuenow', String(Math.max(0, at === undefined ? 0 : all.indexOf(at))));
    plot.setAttribute(
      'aria-valuetext',
      at === undefined ? options.empty : `${isEnd ? 'latest' : options.xText(at)}: ${told.join(', ') || options.empty}`,
    );
  };
  const choose = (x: number | undefined): void => {
    chosen = x;
    draw();
  };
  const onPointer = ({ clientX }: PageEvent): void => {
    const { left, width } = plot.getBoundingClientRect();
    const share = (clientX - left - ROOM.left) / (width - ROOM.left - ROOM.right);
    choose(range[0] + Math.min(1, Math.max(0, share)) * (range[1] - range[0]));
  };
  plot.addEventListener('pointermove', onPointer);
  plot.addEventListener('pointerdown', onPointer);
  plot.addEventListener('pointerleave', () => choose(undefined));
  plot.addEventListener('blur', () => choose(undefined));
  plot.addEventListener('keydown', (event) => {
    const all = xs();
    const at = chosen === undefined ? all.length - 1 : all.indexOf(nearest(all, chosen)!);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Escape') choose(undefined);
    if (to === undefined || all.length === 0) return;
    event.preventDefault();
    choose(all[Math.min(all.length - 1, Math.max(0, to))]);
  });
  draw();
  return {
    element,
    update: (next, between) => {
      lines = next;
      const all = xs();
      range = between ?? [all[0] ?? 0, all.at(-1) ?? 1];
      if (range[0] === range[1]) range = [range[0] - 0.5, range[1] + 0.5];
      draw();
    },
  };
}

function drawn(
  lines: readonly Line[],
  [from, to]: readonly [number, number],
  width: number,
  moment: number | undefined,
  { yText, xText, fromZero = true, empty }: ChartOptions,
): Element[] {
  const values = lines.flatMap(({ points }) => points.flatMap(([, y]) => (y === null ? [] : [y])));
  const [right, base] = [width - ROOM.right, HEIGHT - ROOM.bottom];
  const text = (at: readonly [number, number], content: string, anchor: string): Element =>
    svg('text', { x: px(at[0]), y: px(at[1]), 'text-anchor': anchor }, content);
  if (values.length === 0) {
    const frame = svg('path', { d: `M${ROOM.left} ${base}H${right}`, stroke: 'var(--rule)' });
    return [frame, text([(ROOM.left + right) / 2, (ROOM.top + base) / 2], empty, 'middle')];
  }
  const scale = fromZero ? scaleTo(Math.max(...values), 3) : scaleBetween(Math.min(...values), Math.max(...values), 3);
  const x = (value: number): number => ROOM.left + ((value - from) / (to - from)) * (right - ROOM.left);
  const y = (value: number): number => base - ((value - scale.bottom) / (scale.top - scale.bottom)) * (base - ROOM.top);
  const grid = scale.ticks.map((tick) => `M${ROOM.left} ${px(y(tick))}H${right}`).join('');
  return [
    svg('path', { d: grid, stroke: 'var(--grid)' }),
    svg('path', { d: `M${ROOM.left} ${base}H${right}`, stroke: 'var(--soft)' }),
    ...scale.ticks.map((tick) => text([ROOM.left - 7, y(tick)], yText(tick), 'end')),
    text([ROOM.left, base + 14], xText(from), 'start'),
    text([right, base + 14], xText(to), 'end'),
    ...(moment === undefined
      ? []
      : [
          svg('path', { d: `M${px(x(moment))} ${ROOM.top}V${base}`, stroke: 'var(--soft)', 'stroke-dasharray': '3 3' }),
        ]),
    ...lines.flatMap((line) => {
      const inside = line.points.filter(([at]) => at >= from && at <= to);
      const look = { stroke: colourOf(line.kind), 'stroke-width': 2.2, 'stroke-dasharray': dashOf(line.kind) };
      const last = moment ?? inside.findLast(([, value]) => value !== null)?.[0];
      const value = last === undefined ? null : valueAt(line, last);
      const dot =
        value === null
          ? []
          : [svg('circle', { cx: px(x(last!)), cy: px(y(value)), r: 3.6, fill: colourOf(line.kind) })];
      return [svg('path', { d: pathOf(inside, x, y), ...look }), ...dot];
    }),
  ];
}

/** A line with gaps; a value between two gaps is a dot. */
function pathOf(points: Line['points'], x: (value: number) => number, y: (value: number) => number): string {
  let open = false;
  return points
    .map(([at, value], i) => {
      if (value === null) {
        open = false;
        return '';
      }
      const place = `${px(x(at))} ${px(y(value))}`;
      const alone = !open && (points[i + 1]?.[1] ?? null) === null;
      const step = `${open ? 'L' : 'M'}${place}${alone ? 'h.1' : ''}`;
      open = true;
      return step;
    })
    .join('');
}

function showLegend(legend: Element, lines: readonly Line[], values: readonly string[]): void {
  const rows = Array.from(legend.children);
  const names = lines.map(({ name, kind }) => `${name}/${kind}`).join('\n');
  if (legend.getAttribute('data-names') !== names) {
    legend.setAttribute('data-names', names);
    legend.replaceChildren(
      ...lines.map(({ name, kind }, i) =>
        make('li', {}, lineKey(kind), make('span', {}, `${name} `), make('b', {}, values[i])),
      ),
    );
    return;
  }
  rows.forEach((row, i) => say(row.children[2]!, values[i]!));
}

function valueAt({ points }: Line, x: number | undefined): number | null {
  return points.find(([at]) => at === x)?.[1] ?? null;
}

function lastOf({ points }: Line): number | null {
  return points.findLast(([, value]) => value !== null)?.[1] ?? null;
}

function nearest(xs: readonly number[], x: number): number | undefined {
  return xs.reduce<number | undefined>(
    (best, one) => (best === undefined || Math.abs(one - x) < Math.abs(best - x) ? one : best),
    undefined,
  );
}

function px(value: number): string {
  return String(Number(value.toFixed(1)));
}
