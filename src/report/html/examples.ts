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

type Row = NonNullable<Report['examples']>['rows'][number];

function card(row: Row): string {
  const { sample, label, teacher, student } = row;
  const said: readonly (readonly [string, string | undefined])[] = [['label', label], ['teacher', teacher], ['student', student]]; // prettier-ignore
  const lines = said.flatMap(([who, text]) => (text === undefined ? [] : [`<dt>${who}</dt><dd>${escape(text)}</dd>`]));
  return `<li>${shown(row)}<dl>${lines.join('')}</dl><small>${escape(sample)}</small></li>`;
}

function shown({ sample, picture, sound, texts, values = [] }: Row): string {
  const name = `sample ${escape(sample)}`;
  const seen = picture === undefined ? '' : `<img alt="${name}" src="data:image/png;base64,${escape(picture)}">`;
  if (sound !== undefined)
    return `${seen}<audio controls preload="none" aria-label="${name}" src="data:audio/wav;base64,${escape(sound.wav)}"></audio>`;
  if (texts !== undefined) return texts.map((text) => `<blockquote>${escape(text)}</blockquote>`).join('');
  const number = (value: string | number): string | number =>
    typeof value === 'string' ? value : Number(value.toPrecision(4));
  return (
    seen || `<code>${escape(values.map(({ name: column, value }) => `${column} ${number(value)}`).join(', '))}</code>`
  );
}
