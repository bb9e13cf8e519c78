import { percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { originalOf } from '../../summary.ts';
import type { Report } from '../../types.ts';
import { markup } from '../markup.ts';
import type { Content } from '../markup.ts';

/** Samples with what teacher and student say of them, side by side. */
export function examplesSection(report: Report): Content {
  const { examples, score, models } = report;
  if (examples === undefined) return '';
  const { model, split, differ, samples, rows } = examples;
  const first =
    rows[0]?.masks !== undefined
      ? 'first those with the most differing pixels, then some in the middle, and last those with the fewest'
      : rows[0]?.boxes !== undefined
        ? 'those with the most boxes that only one of them finds come first'
        : 'those of which both are surest come first';
  const areVectors = models.some(({ vectors }) => vectors !== undefined);
  const which =
    score.unit === 'label' || areVectors
      ? `The samples of the ${split} split whose ${areVectors ? 'vectors' : 'answers'} are furthest apart.`
      : `They answer ${number(differ)} of the ${number(samples)} samples of the ${split} split differently; ${first}.`;
  return markup`<section id="examples"><h2>Where they disagree</h2><p>${model} beside ${originalOf(report)}. ${which}</p>
      <ul class="examples">${rows.map(card)}</ul></section>`;
}

type Row = NonNullable<Report['examples']>['rows'][number];

function card(row: Row): Content {
  const { sample, label, teacher, student } = row;
  const said: readonly (readonly [string, string | undefined])[] = [['label', label], ['teacher', teacher], ['student', student], ['int8', row.masks?.int8 && '']]; // prettier-ignore
  if (row.marked !== undefined) return markedCard(row, row.marked);
  if (row.boxes !== undefined) return boxedCard(row, row.boxes);
  const masks: Readonly<Record<string, string | undefined>> = row.masks ?? {};
  const lines = said.flatMap(([who, text]) => {
    const mask = masks[who];
    const image = mask === undefined ? '' : markup`<img alt="mask of the ${who}" src="data:image/png;base64,${mask}"> `;
    return text === undefined ? [] : [markup`<dt>${who}</dt><dd>${image}${text}</dd>`];
  });
  return markup`<li>${shown(row)}<dl>${lines}</dl><small>${sample}</small></li>`;
}

type Marked = NonNullable<Row['marked']>;

/** The words three times, with the entities of the label, the teacher and the student. */
function markedCard({ sample }: Row, { words, ...sides }: Marked): Content {
  const lines = (['label', 'teacher', 'student'] as const).map(
    (who) => markup`<dt>${who}</dt><dd>${markedText(words, sides[who])}</dd>`,
  );
  return markup`<li class="marked"><dl>${lines}</dl><small>${sample}</small></li>`;
}

function markedText(words: readonly string[], marks: Marked['label']): Content {
  const parts: Content[] = [];
  let at = 0;
  for (const { type, from, to } of marks) {
    parts.push(...words.slice(at, from));
    parts.push(markup`<mark>${words.slice(from, to + 1).join(' ')}<small>${type}</small></mark>`);
    at = to + 1;
  }
  return markup`${[...parts, ...words.slice(at)].map((part) => markup`${part} `)}`;
}

type Boxes = NonNullable<Row['boxes']>;

/** The picture once for each side, with its boxes; later pictures use the first one's pixels. */
function boxedCard(row: Row, boxes: Boxes): Content {
  const { sample, picture } = row;
  const id = `picture-${sample.replaceAll(/[^\w-]/g, '-')}`;
  const sides = (['label', 'teacher', 'student'] as const).filter((who) => boxes[who] !== undefined);
  // Sides of boxes are shares of the picture: a hundred units across, and as high as it is.
  const high = picture === undefined ? 100 : Number((100 * heightOverWidth(picture)).toFixed(2));
  const figures = sides.map((who, i) => {
    const image =
      picture === undefined
        ? ''
        : i === 0
          ? markup`<image id="${id}" width="100" height="${high}" preserveAspectRatio="none" href="data:image/png;base64,${picture}"/>`
          : markup`<use href="#${id}"/>`;
    const rects = boxes[who]!.map(
      ({ name, score, xmin, ymin, xmax, ymax }) =>
        markup`<rect x="${percentOf(xmin)}" y="${percentOf(ymin, high)}" width="${percentOf(xmax - xmin)}" height="${percentOf(ymax - ymin, high)}">
      <title>${name}${score === undefined ? '' : ` ${percent(score, 0)}`}</title></rect>`,
    );
    return markup`<dt>${who}</dt><dd><svg viewBox="0 0 100 ${high}" role="img" aria-label="boxes of the ${who}">${image}${rects}</svg>${row[who] ?? ''}</dd>`;
  });
  return markup`<li class="boxed"><dl>${figures}</dl><small>${sample}</small></li>`;
}

/** Height of a PNG file in base64 over its width, by its header. */
function heightOverWidth(png: string): number {
  const header = Buffer.from(png.slice(0, 32), 'base64');
  if (header.length < 24) return 1;
  const [width, height] = [header.readUInt32BE(16), header.readUInt32BE(20)];
  return width > 0 && height > 0 ? height / width : 1;
}

function percentOf(share: number, all = 100): number {
  return Number((all * share).toFixed(2));
}

function shown({ sample, picture, sound, texts, values = [] }: Row): Content {
  const name = `sample ${sample}`;
  const seen = picture === undefined ? '' : markup`<img alt="${name}" src="data:image/png;base64,${picture}">`;
  if (sound !== undefined)
    return markup`${seen}<audio controls preload="none" aria-label="${name}" src="data:audio/wav;base64,${sound.wav}"></audio>`;
  if (texts !== undefined) return markup`${texts.map((text) => markup`<blockquote>${text}</blockquote>`)}`;
  const number = (value: string | number): string | number =>
    typeof value === 'string' ? value : Number(value.toPrecision(4));
  return (
    seen || markup`<code>${values.map(({ name: column, value }) => `${column} ${number(value)}`).join(', ')}</code>`
  );
}
