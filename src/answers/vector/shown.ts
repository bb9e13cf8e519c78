import type { Canvas, Element } from '../../page/browser/dom.ts';
import { shownText } from '../../page/browser/forms.ts';
import type { ComparedSample, ShownForm } from '../../page/browser/forms.ts';
import { canvasOf, make } from '../../page/browser/make.ts';

/** Samples with the cosine of the angle between the vectors of each two, [samples][samples]. */
interface Alike {
  readonly samples: readonly ComparedSample[];
  readonly cosines: readonly (readonly number[])[];
}

/** Side of a small picture in the table, in pixels. */
const SIDE = 40;

/** Cosines of vectors, which need not be of length 1. */
export function cosinesBetween(vectors: readonly (readonly number[])[]): number[][] {
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const lengths = vectors.map((vector) => Math.sqrt(dot(vector, vector)) || 1);
  return vectors.map((a, i) => vectors.map((b, j) => dot(a, b) / (lengths[i]! * lengths[j]!)));
}

/** Table of the samples beside each other; the darker a cell, the more alike are its two samples. */
function alikeTable({ samples, cosines }: Alike): Element {
  const number = (i: number): string => `${i + 1}`;
  const head = samples.map((_, i) => make('th', { scope: 'col' }, number(i)));
  const rows = samples.map(({ label, picture }, i) => {
    const cells = cosines[i]!.map((cosine, j) => {
      if (i === j) return make('td', {}, '–');
      const cell = make('td', {}, cosine.toFixed(2));
      const share = Math.round(55 * Math.max(0, cosine));
      cell.style.setProperty('background', `color-mix(in srgb, var(--accent) ${share}%, transparent)`);
      return cell;
    });
    const small = picture && thumbnail(picture);
    return make('tr', {}, make('th', { scope: 'row' }, make('span', {}, `${number(i)}. ${label}`), small), ...cells);
  });
  const table = make(
    'table',
    { class: 'alike' },
    make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'Cosine'), ...head)),
    make('tbody', {}, ...rows),
  );
  return make('div', { class: 'wrap', tabindex: 0, role: 'group', 'aria-label': 'Cosines of the samples' }, table);
}

function thumbnail(picture: Canvas): Canvas {
  const scale = SIDE / Math.max(picture.width, picture.height);
  const small = canvasOf(
    Math.max(1, Math.round(picture.width * scale)),
    Math.max(1, Math.round(picture.height * scale)),
    { 'aria-hidden': true },
  );
  const context = small.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, small.width, small.height);
  return small;
}

/** Sentence with the two samples that are most alike; undefined for a single sample. */
export function mostAlike({ samples, cosines }: Alike): string | undefined {
  const pairs = samples.flatMap((_, i) => samples.slice(0, i).map((__, j) => [j, i] as const));
  const [first, ...others] = pairs;
  if (first === undefined) return undefined;
  const cosineOf = ([i, j]: readonly [number, number]): number => cosines[i]![j]!;
  const best = others.reduce((most, pair) => (cosineOf(pair) > cosineOf(most) ? pair : most), first);
  return `Most alike: ${best.map((i) => samples[i]!.label).join(' and ')}, ${cosineOf(best).toFixed(2)}.`;
}

/** The part of an answer that is a vector. */
interface Embedded {
  readonly embedding: readonly number[];
}

/** Numbers of a vector that stand for it. */
const FIRST = 8;

export const shown: ShownForm<Embedded> = {
  told: { key: 'vector' },
  called: 'numbers of a vector',
  gives: 'a vector to search with',
  title: 'texts to compare',
  shown: ({ embedding }) => {
    const first = embedding.slice(0, FIRST).map((value) => value.toFixed(3));
    return shownText(`${first.join(', ')}, … (${embedding.length} numbers)`);
  },
  compared: (predicted, samples) => {
    const alike = { samples, cosines: cosinesBetween(predicted.map(({ embedding }) => embedding)) };
    return {
      elements: () => [alikeTable(alike)],
      sentence: mostAlike(alike) ?? 'Add a second sample to compare it with.',
    };
  },
};
