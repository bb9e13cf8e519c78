import { percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { originalOf } from '../../summary.ts';
import type { Report } from '../../types.ts';
import { escape } from '../escape.ts';

/** Samples with what teacher and student say of them, side by side. */
export function examplesSection(report: Report): string {
  const { examples, score } = report;
  if (examples === undefined) return '';
  const { model, split, differ, samples, rows } = examples;
  const first =
    rows[0]?.masks !== undefined
      ? 'first those with the most differing pixels, then some in the middle, and last those with the fewest'
      : rows[0]?.boxes !== undefined
        ? 'those with the most boxes that only one of them finds come first'
        : 'those of which both are surest come first';
  const isNumbers = score.unit === 'label';
  const which = isNumbers
    ? `The samples of the ${split} split whose answers are furthest apart.`
    : `They answer ${number(differ)} of the ${number(samples)} samples of the ${split} split differently; ${first}.`;
  return (
    `<section id="examples"><h2>Where they disagree</h2><p>${escape(model)} beside ${escape(originalOf(report))}. ${which}</p>` +
    `<ul class="examples">${rows.map(card).join('')}</ul></section>`
  );
}

type Row = NonNullable<Report['examples']>['rows'][number];

function card(row: Row): string {
  const { sample, label, teacher, student } = row;
  const said: readonly (readonly [string, string | undefined])[] = [['label', label], ['teacher', teacher], ['student', student], ['int8', row.masks?.int8 && '']]; // prettier-ignore
  if (row.marked !== undefined) return markedCard(row, row.marked);
  if (row.boxes !== undefined) return boxedCard(row, row.boxes);
  const masks: Readonly<Record<string, string | undefined>> = row.masks ?? {};
  const lines = said.flatMap(([who, text]) => {
    const mask = masks[who];
    const image =
      mask === undefined ? '' : `<img alt="mask of the ${who}" src="data:image/png;base64,${escape(mask)}"> `;
    return text === undefined ? [] : [`<dt>${who}</dt><dd>${image}${escape(text)}</dd>`];
  });
  return `<li>${shown(row)}<dl>${lines.join('')}</dl><small>${escape(sample)}</small></li>`;
}

type Marked = NonNullable<Row['marked']>;

/** The words three times, with the entities of the label, the teacher and the student. */
function markedCard({ sample }: Row, { words, ...sides }: Marked): string {
  const lines = (['label', 'teacher', 'student'] as const).map(
    (who) => `<dt>${who}</dt><dd>${markedText(words, sides[who])}</dd>`,
  );
  return `<li class="marked"><dl>${lines.join('')}</dl><small>${escape(sample)}</small></li>`;
}

function markedText(words: readonly string[], marks: Marked['label']): string {
  const parts: string[] = [];
  let at = 0;
  for (const { type, from, to } of marks) {
    parts.push(...words.slice(at, from).map(escape));
    parts.push(`<mark>${escape(words.slice(from, to + 1).join(' '))}<small>${escape(type)}</small></mark>`);
    at = to + 1;
  }
  return [...parts, ...words.slice(at).map(escape)].join(' ');
}

type Boxes = NonNullable<Row['boxes']>;

/** The picture once for each side, with its boxes; later pictures use the first one's pixels. */
function boxedCard(row: Row, boxes: Boxes): string {
  const { sample, picture } = row;
  const id = `picture-${sample.replaceAll(/[^\w-]/g, '-')}`;
  const sides = (['label', 'teacher', 'student'] as const).filter((who) => boxes[who] !== undefined);
  const figures = sides.map((who, i) => {
    const image =
      picture === undefined
        ? ''
        : i === 0
          ? `<image id="${id}" width="100" height="100" preserveAspectRatio="none" href="data:image/png;base64,${escape(picture)}"/>`
          : `<use href="#${id}"/>`;
    const rects = boxes[who]!.map(
      ({ name, score, xmin, ymin, xmax, ymax }) =>
        `<rect x="${percentOf(xmin)}" y="${percentOf(ymin)}" width="${percentOf(xmax - xmin)}" height="${percentOf(ymax - ymin)}">` +
        `<title>${escape(name)}${score === undefined ? '' : ` ${percent(score, 0)}`}</title></rect>`,
    );
    return `<dt>${who}</dt><dd><svg viewBox="0 0 100 100" role="img" aria-label="boxes of the ${who}">${image}${rects.join('')}</svg>${escape(row[who] ?? '')}</dd>`;
  });
  return `<li class="boxed"><dl>${figures.join('')}</dl><small>${escape(sample)}</small></li>`;
}

function percentOf(share: number): number {
  return Number((100 * share).toFixed(2));
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
