import { percent } from '../format.ts';
import { paretoFront } from '../summary.ts';
import { chart, frameOf, marker, path, px } from './chart.ts';
import type { Frame } from './chart.ts';
import type { Cost, Point } from './costs.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';

/** Runtimes are told apart by letters where a chart holds several. */
export function letterOf(i: number): string {
  return String.fromCharCode(65 + (i % 26));
}

/** Accuracy over a cost, twice: for wide screens and for phones, where letters would become too small. */
export function scatter(points: readonly Point[], cost: Cost, places: readonly string[]): string {
  return (
    scatterOf(points, cost, places, frameFor(760, 400), 'wide') +
    scatterOf(points, cost, places, frameFor(350, 330), 'narrow')
  );
}

/** Room above the plot for the figures of the mark that is pointed at. */
function frameFor(width: number, height: number): Frame {
  return { ...frameOf(width, height), top: 46 };
}

function scatterOf(
  points: readonly Point[],
  cost: Cost,
  places: readonly string[],
  frame: Frame,
  className: string,
): string {
  const front = paretoFront(points);
  const wanted = frame.width < 500 ? 4 : 5;
  const x = scaleOf(
    points.map((point) => point.cost),
    [frame.left + 16, frame.right - 16],
    { logAbove: 6, bounds: [0, Infinity], wanted },
  );
  const y = scaleOf(
    points.map(({ accuracy }) => accuracy),
    [frame.bottom, frame.top],
    { bounds: [0, 1], wanted },
  );
  const at = (point: Point): [number, number] => [x.place(point.cost), y.place(point.accuracy)];
  const steps = front.flatMap((point, i): [number, number][] =>
    i === 0 ? [at(point)] : [[at(point)[0], y.place(front[i - 1]!.accuracy)], at(point)],
  );
  const name = ({ id, place }: Point): string =>
    places.length > 0 && place !== undefined ? letterOf(places.indexOf(place)) : id;
  const labels = placed(
    points.map((point) => ({ text: name(point), at: at(point) })),
    frame,
  );
  const marks = points.map((point, i) => mark(point, { cost, at: at(point), label: labels[i]!, frame, front }));
  const told = points.map(
    ({ id, place, accuracy, cost: its }) =>
      `${id}${places.length > 0 && place !== undefined ? ` in ${place}` : ''}: ${percent(accuracy)}, ${cost.text(its)}`,
  );
  const title = `Accuracy against ${cost.name}. ${told.join('; ')}. Pareto front: ${front.map(({ id }) => id).join(', ')}.`;
  return chart(
    frame,
    title,
    { scale: x, label: cost.name, text: cost.text },
    { scale: y, label: 'accuracy', text: (value) => `${Number((100 * value).toFixed(2))} %` },
    `<text class="hint" x="${frame.left}" y="14">Point at a mark, or tab to it, for its figures.</text>` +
      `<path class="front" d="${path(steps)}"/>${marks.join('')}`,
    className,
  ).replace('role="img"', 'role="group"');
}

interface MarkOptions {
  readonly cost: Cost;
  readonly at: readonly [number, number];
  readonly label: Label;
  readonly frame: Frame;
  readonly front: readonly Point[];
}

/** A mark that says its figures above the chart when it is pointed at or has the focus. */
function mark(point: Point, { cost, at: [x, y], label, frame, front }: MarkOptions): string {
  const isFront = front.includes(point);
  const where = point.place === undefined ? '' : `, ${point.place}`;
  const figures = `${percent(point.accuracy)} right, ${cost.text(point.cost)}${isFront ? '; on the Pareto front' : ''}`;
  return (
    `<g class="point s${point.kind % 6}${isFront ? '' : ' beaten'}" tabindex="0" role="img" aria-label="${escape(`${point.id}${where}: ${figures}`)}">` +
    `<circle class="target" cx="${px(x)}" cy="${px(y)}" r="14"/>${marker(point.kind, x, y, 7)}` +
    `<text class="name" x="${px(label.x)}" y="${px(label.y)}" dy="0.32em" text-anchor="${label.anchor}">${escape(label.text)}</text>` +
    `<g class="readout"><text class="name" x="${frame.left}" y="14">${escape(point.id + where)}</text>` +
    `<text x="${frame.left}" y="31">${escape(figures)}</text></g></g>`
  );
}

interface Label {
  readonly text: string;
  readonly x: number;
  y: number;
  readonly anchor: 'start' | 'end';
  readonly width: number;
}

const LETTER = 7.4;
const LINE = 15;

/** Names beside their points, left of those near the right edge, and moved apart where two would overlap. */
function placed(
  names: readonly { readonly text: string; readonly at: readonly [number, number] }[],
  frame: Frame,
): Label[] {
  const labels = names.map(({ text, at: [x, y] }): Label => {
    const width = text.length * LETTER;
    const fits = x + 12 + width < frame.right;
    return { text, x: fits ? x + 12 : x - 12, y, anchor: fits ? 'start' : 'end', width };
  });
  const leftOf = ({ x, anchor, width }: Label): number => (anchor === 'start' ? x : x - width);
  const byHeight = [...labels].sort((a, b) => a.y - b.y);
  byHeight.forEach((label, i) => {
    for (const other of byHeight.slice(0, i)) {
      const beside = leftOf(label) > leftOf(other) + other.width || leftOf(other) > leftOf(label) + label.width;
      if (!beside && label.y - other.y < LINE) label.y = other.y + LINE;
    }
  });
  // A crowd at the bottom moves up again, so that no name runs into the axis.
  const lowest = Math.max(...labels.map(({ y }) => y));
  if (lowest > frame.bottom - 8) for (const label of labels) label.y -= lowest - (frame.bottom - 8);
  return labels;
}
