import { percent } from '../../../base/numbers.ts';
import { number } from '../../format.ts';
import { originalOf } from '../../summary.ts';
import { maskColour } from '../../mask-colours.ts';
import { pointMarks } from '../../point-marks.ts';
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
        : rows[0]?.points !== undefined
          ? 'those whose points lie furthest apart come first'
          : 'those of which both are surest come first';
  const areVectors = models.some((row) => Object.hasOwn(row, 'vectors'));
  const which =
    score.unit === 'label' || areVectors
      ? `The samples of the ${split} split whose ${areVectors ? 'vectors' : 'answers'} are furthest apart.`
      : `They answer ${number(differ)} of the ${number(samples)} samples of the ${split} split differently; ${first}.`;
  const names = rows[0]?.masks === undefined ? [] : (report.dataset.classNames ?? []);
  return markup`<section id="examples"><h2>Where they disagree</h2><p>${model} beside ${originalOf(report)}. ${which}</p>${maskLegend(names)}
      <ul class="examples">${rows.map(card)}</ul></section>`;
}

/** Colours of masks; pixels without a class are white. */
function maskLegend(names: readonly string[]): Content {
  if (names.length === 0) return '';
  const items = names.map(
    (name, c) => markup`<li><i class="swatch" style="background:rgb(${maskColour(c).join(',')})"></i>${name}</li>`,
  );
  return markup`<ul class="legend">${items}</ul>`;
}

type Row = NonNullable<Report['examples']>['rows'][number];

function card(row: Row): Content {
  const { sample, label, teacher, student } = row;
  if (row.marked !== undefined) return markedCard(row, row.marked);
  if (row.boxes !== undefined) return boxedCard(row, row.boxes);
  if (row.points !== undefined) {
    const { lines, ...sides } = row.points;
    return drawnCard(row, sides, 'points', (points, down) => pointMarks(points, lines, { across: 100, down }));
  }
  if (row.masks !== undefined) return maskedCard(row, row.masks);
  const lines = Object.entries({ label, teacher, student }).flatMap(([who, text]) =>
    text === undefined ? [] : [markup`<dt>${who}</dt><dd>${text}</dd>`],
  );
  return markup`<li>${shown(row)}<dl>${lines}</dl><small>${sample}</small></li>`;
}

/** The picture beside the masks of all sides; the share of each class is the text in place of a mask. */
function maskedCard(row: Row, masks: NonNullable<Row['masks']>): Content {
  const figures = (['label', 'teacher', 'student', 'int8'] as const).flatMap((who) => {
    const mask = masks[who];
    const shares = who === 'int8' || row[who] === undefined ? '' : `: ${row[who]}`;
    return mask === undefined
      ? []
      : [
          markup`<div><dt>${who}</dt><dd><img alt="mask of the ${who}${shares}" src="data:image/png;base64,${mask}"></dd></div>`,
        ];
  });
  return markup`<li class="masked"><dl><div><dt>picture</dt><dd>${shown(row)}</dd></div>${figures}</dl><small>${row.sample}</small></li>`;
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

/** The picture once for each side, with its boxes. */
function boxedCard(row: Row, boxes: Boxes): Content {
  return drawnCard(row, boxes, 'boxes', (found, high) =>
    found.map(({ name, score, xmin, ymin, xmax, ymax }) => {
      const [x, y] = [percentOf(xmin), percentOf(ymin, high)];
      return markup`<rect x="${x}" y="${y}" width="${percentOf(xmax - xmin)}" height="${percentOf(ymax - ymin, high)}">
        <title>${name}${score === undefined ? '' : ` ${percent(score, 0)}`}</title></rect><text x="${Math.max(1, x)}" y="${Math.max(7, y - 1.5)}">${name}</text>`;
    }),
  );
}

/** The picture once for each side, with what `drawn` makes of that side; later pictures use the first one's pixels. */
function drawnCard<Found>(
  row: Row,
  found: { readonly label?: Found; readonly teacher: Found; readonly student: Found },
  what: 'boxes' | 'points',
  drawn: (found: Found, high: number) => readonly Content[] | Content,
): Content {
  const { sample, picture } = row;
  const id = `picture-${sample.replaceAll(/[^\w-]/g, '-')}`;
  const sides = (['label', 'teacher', 'student'] as const).filter((who) => found[who] !== undefined);
  // Places are shares of the picture: a hundred units across, and as high as it is.
  const high = picture === undefined ? 100 : Number((100 * heightOverWidth(picture)).toFixed(2));
  const figures = sides.map((who, i) => {
    const image =
      picture === undefined
        ? ''
        : i === 0
          ? markup`<image id="${id}" width="100" height="${high}" preserveAspectRatio="none" href="data:image/png;base64,${picture}"/>`
          : markup`<use href="#${id}"/>`;
    return markup`<dt>${who}</dt><dd><svg viewBox="0 0 100 ${high}" role="img" aria-label="${what} of the ${who}">${image}${drawn(found[who]!, high)}</svg>${row[who] ?? ''}</dd>`;
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
