import type { Report } from '../types.ts';
import { escape } from './escape.ts';
import { key } from './kinds.ts';

/** The marks of those models that `isShown`, with their names. */
export function modelLegend({ models }: Report, isShown: (id: string) => boolean): string {
  const items = models.flatMap(({ id }, kind) => (isShown(id) ? [`<li>${key(kind)}${escape(id)}</li>`] : []));
  return `<ul class="legend">${items.join('')}</ul>`;
}
