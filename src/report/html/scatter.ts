import { milliseconds, percent, short, size } from '../format.ts';
import { accuracyOf, paretoFront, settingOf } from '../summary.ts';
import type { ModelRow, Report } from '../types.ts';
import { chart, frameOf, marker, path, px } from './chart.ts';
import { escape } from './escape.ts';
import { scaleOf } from './scale.ts';

/** Something that a model costs. */
export interface Cost {
  readonly name: string;
  readonly text: (value: number) => string;
  readonly of: (model: ModelRow) => number | null;
}

/** Latency in each setting that was timed, then size and MACs. */
export function costsOf({ models }: Report): Cost[] {
  const rows = models.flatMap(({ latency }) => latency);
  const settings = [...new Set(rows.map(settingOf))];
  // Where all was timed in one place, saying so on every button says nothing.
  const isOnePlace = new Set(rows.map(({ runtime, device }) => `${runtime} on ${device}`)).size === 1;
  const all: Cost[] = [
    ...settings.map((setting) => ({
      name: isOnePlace ? `latency, ${setting.slice(setting.indexOf('batch'))}` : setting,
      text: milliseconds,
      of: ({ latency }: ModelRow) => latency.find((row) => settingOf(row) === setting)?.p50Ms ?? null,
    })),
    { name: 'size of the file', text: size, of: ({ sizeBytes }) => (sizeBytes > 0 ? sizeBytes : null) },
    { name: 'multiply-accumulates', text: short, of: ({ macs }) => macs },
  ];
  return all.filter(
    (cost) => models.filter((model) => cost.of(model) !== null && accuracyOf(model) !== null).length > 1,
  );
}

interface Point {
  readonly id: string;
  readonly kind: number;
  readonly cost: number;
  readonly accuracy: number;
}

/** Accuracy over a cost, twice: for wide screens and for phones, where letters would become too small. */
export function scatter(report: Report, cost: Cost): string {
  return scatterOf(report, cost, 760, 380, 'wide') + scatterOf(report, cost, 350, 300, 'narrow');
}

function scatterOf({ models }: Report, cost: Cost, width: number, height: number, className: string): string {
  const points = models.flatMap((model, kind): Point[] => {
    const [at, accuracy] = [cost.of(model), accuracyOf(model)];
    return at === null || accuracy === null ? [] : [{ id: model.id, kind, cost: at, accuracy }];
  });
  const front = paretoFront(points);
  const frame = frameOf(width, height);
  const wanted = width < 500 ? 4 : 5;
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
  const steps = front.flatMap((point, i): [number, number][] => {
    const at: [number, number] = [x.place(point.cost), y.place(point.accuracy)];
    return i === 0 ? [at] : [[at[0], y.place(front[i - 1]!.accuracy)], at];
  });
  const labels = placed(points, (point) => [x.place(point.cost), y.place(point.accuracy)], frame.right);
  const marks = points.map((point, i) => {
    const [px0, py0] = [x.place(point.cost), y.place(point.accuracy)];
    const isFront = front.includes(point);
    const title = `${point.id}: ${percent(point.accuracy)} right, ${cost.text(point.cost)}${isFront ? '; on the Pareto front' : ''}`;
    const label = labels[i]!;
    return (
      `<g class="point s${point.kind % 6}${isFront ? '' : ' beaten'}" tabindex="0" role="img" aria-label="${escape(title)}"><title>${escape(title)}</title>` +
      `<circle class="target" cx="${px(px0)}" cy="${px(py0)}" r="16"/>${marker(point.kind, px0, py0, 7)}` +
      `<text class="name" x="${px(label.x)}" y="${px(label.y)}" dy="0.32em" text-anchor="${label.anchor}">${escape(point.id)}</text></g>`
    );
  });
  const title = `Accuracy against ${cost.name}. ${points.map(({ id, accuracy, cost: at }) => `${id}: ${percent(accuracy)}, ${cost.text(at)}`).join('; ')}. Pareto front: ${front.map(({ id }) => id).join(', ')}.`;
  const content = `<path class="front" d="${path(steps)}"/>${marks.join('')}`;
  return chart(
    frame,
    title,
    { scale: x, label: cost.name, text: cost.text },
    { scale: y, label: 'accuracy', text: (value) => `${Number((100 * value).toFixed(2))} %` },
    content,
    className,
  ).replace('role="img"', 'role="group"');
}

const LETTER = 7.2;
const LINE = 15;

/** Names beside their points, left of those near the right edge, and moved apart where two would overlap. */
function placed(
  points: readonly Point[],
  at: (point: Point) => readonly [number, number],
  right: number,
): { x: number; y: number; anchor: 'start' | 'end' }[] {
  const labels = points.map((point) => {
    const [x, y] = at(point);
    const fits = x + 12 + point.id.length * LETTER < right;
    return {
      x: fits ? x + 13 : x - 13,
      y,
      anchor: fits ? ('start' as const) : ('end' as const),
      width: point.id.length * LETTER,
    };
  });
  const leftOf = ({ x, anchor, width }: (typeof labels)[number]): number => (anchor === 'start' ? x : x - width);
  const byHeight = [...labels].sort((a, b) => a.y - b.y);
  byHeight.forEach((label, i) => {
    for (const other of byHeight.slice(0, i)) {
      const beside = leftOf(label) > leftOf(other) + other.width || leftOf(other) > leftOf(label) + label.width;
      if (!beside && label.y - other.y < LINE) label.y = other.y + LINE;
    }
  });
  return labels;
}
