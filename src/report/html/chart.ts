import { escape } from './escape.ts';
import type { Scale } from './scale.ts';

/** Pixels, and where the plot lies between its axes. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** `left` is what the numbers of the vertical axis and its label take. */
export function frameOf(width: number, height: number, left = 64): Frame {
  return { width, height, left, right: width - 14, top: 14, bottom: height - 44 };
}

export interface Axis {
  readonly scale: Scale;
  readonly label: string;
  readonly text: (value: number) => string;
}

/** An SVG with axes and grid; `title` is what somebody who cannot see it is told. */
export function chart(frame: Frame, title: string, x: Axis, y: Axis, content: string, className = ''): string {
  const { width, height, left, right, top, bottom } = frame;
  const horizontal = y.scale.ticks.map((tick) => {
    const at = px(y.scale.place(tick));
    return (
      `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>` +
      `<text x="${left - 8}" y="${at}" dy="0.32em" text-anchor="end">${escape(y.text(tick))}</text>`
    );
  });
  const vertical = x.scale.ticks.map((tick) => {
    const at = px(x.scale.place(tick));
    return (
      `<line class="grid" y1="${top}" y2="${bottom}" x1="${at}" x2="${at}"/>` +
      `<text x="${at}" y="${bottom + 17}" text-anchor="middle">${escape(x.text(tick))}</text>`
    );
  });
  return [
    `<svg class="chart ${className}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">`,
    ...horizontal,
    ...vertical,
    `<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>`,
    `<text class="label" x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle">${escape(x.label)}</text>`,
    `<text class="label" transform="translate(12 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(y.label)}</text>`,
    content,
    '</svg>',
  ].join('');
}

/** A pixel with one digit: a hundredth more is not seen and takes room. */
export function px(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

export function path(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${px(y)}`).join('');
}

/** Shapes that tell models apart without colour. */
export function marker(kind: number, x: number, y: number, radius: number): string {
  const [cx, cy, r] = [px(x), px(y), radius];
  switch (kind % 4) {
    case 0:
      return `<rect x="${px(x - r * 0.9)}" y="${px(y - r * 0.9)}" width="${px(1.8 * r)}" height="${px(1.8 * r)}"/>`;
    case 1:
      return `<path d="M${cx} ${px(y - 1.1 * r)}L${px(x + r)} ${px(y + 0.8 * r)}H${px(x - r)}Z"/>`;
    case 2:
      return `<circle cx="${cx}" cy="${cy}" r="${r}"/>`;
    default:
      return `<path d="M${cx} ${px(y - 1.2 * r)}L${px(x + 1.2 * r)} ${cy}L${cx} ${px(y + 1.2 * r)}L${px(x - 1.2 * r)} ${cy}Z"/>`;
  }
}
