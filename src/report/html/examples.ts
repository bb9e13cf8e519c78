import { number } from '../format.ts';
import { originalOf } from '../summary.ts';
import type { Report } from '../types.ts';
import { escape } from './escape.ts';

/** Samples with what teacher and student say of them, side by side. */
export function examplesSection(report: Report): string {
  const { examples, score } = report;
  if (examples === undefined) return '';
  const { model, split, differ, samples, rows } = examples;
  const isNumbers = score.unit === 'label';
  const which = isNumbers
    ? `The samples of the ${split} split whose answers are furthest apart.`
    : `They answer ${number(differ)} of the ${number(samples)} samples of the ${split} split differently; those of which both are surest come first.`;
  return (
    `<section id="examples"><h2>Where they disagree</h2><p>${escape(model)} beside ${escape(originalOf(report))}. ${which}</p>` +
    `<ul class="examples">${rows.map(card).join('')}</ul></section>`
  );
}

function card({ sample, picture, values, label, teacher, student }: NonNullable<Report['examples']>['rows'][number]) {
  const shown =
    picture === undefined
      ? `<code>${escape((values ?? []).map(({ name, value }) => `${name} ${typeof value === 'string' ? value : Number(value.toPrecision(4))}`).join(', '))}</code>`
      : `<img alt="sample ${escape(sample)}" src="data:image/png;base64,${escape(picture)}">`;
  const said: readonly (readonly [string, string | undefined])[] = [['label', label], ['teacher', teacher], ['student', student]]; // prettier-ignore
  const lines = said.flatMap(([who, text]) => (text === undefined ? [] : [`<dt>${who}</dt><dd>${escape(text)}</dd>`]));
  return `<li>${shown}<dl>${lines.join('')}</dl><small>${escape(sample)}</small></li>`;
}
