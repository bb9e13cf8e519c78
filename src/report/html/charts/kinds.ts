import type { ScatterSeriesOption } from 'echarts';
import { markup } from '../markup.ts';
import type { Markup } from '../markup.ts';

/** Look of a model everywhere in the report, by its place there. Shapes and dashes tell it without colour. */
const SYMBOLS = ['rect', 'triangle', 'circle', 'diamond'] as const;
const OUTLINES = [
  'M2 2h9v9H2Z',
  'M6.5 1.5l5 10h-10Z',
  'M1.5 6.5a5 5 0 1 1 10 0a5 5 0 1 1-10 0Z',
  'M6.5 .5l6 6l-6 6l-6-6Z',
];
const DASHES = [[7, 4], [2, 3], 'solid', [9, 3, 2, 3], 'solid', 'solid'] as const;

/** The variables of style.ts: these are as many. */
const COLOURS = 6;

export function colourOf(kind: number): string {
  return `var(--s${kind % COLOURS})`;
}

/** Optically as large as a disc of this diameter. */
export function symbolOf(kind: number, size: number): { symbol: string; symbolSize: number } {
  const symbol = SYMBOLS[kind % SYMBOLS.length]!;
  return { symbol, symbolSize: symbol === 'rect' ? 0.9 * size : symbol === 'circle' ? size : 1.15 * size };
}

export interface Mark {
  readonly at: readonly [number, number];
  readonly kind: number;
  readonly size: number;
  readonly isHollow?: boolean;
}

export function markSeries(marks: readonly Mark[]): ScatterSeriesOption & { type: 'scatter' } {
  const data = marks.map(({ at, kind, size, isHollow }) => {
    const color = isHollow === true ? 'var(--card)' : colourOf(kind);
    const itemStyle = { color, borderColor: colourOf(kind), borderWidth: 2, opacity: 1 };
    return { value: [...at], ...symbolOf(kind, size), itemStyle };
  });
  return { type: 'scatter', data, silent: true, clip: false, z: 3 };
}

export function dashOf(kind: number): 'solid' | number[] {
  const dash = DASHES[kind % DASHES.length]!;
  return dash === 'solid' ? dash : [...dash];
}

/** The mark of a model beside its name. */
export function key(kind: number): Markup {
  return markup`<svg class="key" width="13" height="13" viewBox="0 0 13 13" aria-hidden="true">${outline(kind)}</svg>`;
}

/** The same on a piece of its line. */
export function lineKey(kind: number): Markup {
  const dash = dashOf(kind);
  const dashes = dash === 'solid' ? '' : markup` stroke-dasharray="${dash.join()}"`;
  return markup`<svg class="key" width="35" height="13" viewBox="-11 0 35 13" aria-hidden="true">
      <path d="M-11 6.5H24" stroke="${colourOf(kind)}" stroke-width="2"${dashes}/>${outline(kind)}</svg>`;
}

function outline(kind: number): Markup {
  return markup`<path fill="${colourOf(kind)}" d="${OUTLINES[kind % OUTLINES.length]!}"/>`;
}
