import { px } from './chart.ts';
import { markup } from '../markup.ts';
import type { Content, Markup } from '../markup.ts';

/** Note that pointer and keyboard find at a mark; `content` is shown by style.ts while it is found. */
export function target([x, y]: readonly [number, number], label: string, content: Content): Markup {
  return markup`<g class="point" tabindex="0" role="img" aria-label="${label}">
      <circle class="target" cx="${px(x)}" cy="${px(y)}" r="14"/>${content}</g>`;
}

/** Text for the pointer alone, where a table has the same figures for the keyboard. */
export function tooltip([x, y]: readonly [number, number], text: string): Markup {
  return markup`<circle class="target" cx="${px(x)}" cy="${px(y)}" r="8"><title>${text}</title></circle>`;
}
