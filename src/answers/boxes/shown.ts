import { percent } from '../../base/numbers.ts';
import type { Canvas, Element } from '../../page/browser/dom.ts';
import { bars, overPicture } from '../../page/browser/forms.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { make } from '../../page/browser/make.ts';
import { boxColour } from '../../report/mask-colours.ts';
import { strokeBoxes } from './drawn.ts';

/** Boxes in a picture as the server answers them, the highest score first; sides in pixels of the picture that was sent. */
interface Boxed {
  readonly height: number;
  readonly width: number;
  /** Lowest score of these boxes. */
  readonly threshold: number;
  readonly boxes: readonly {
    readonly index: number;
    readonly label: string;
    readonly score: number;
    readonly box: { readonly xmin: number; readonly ymin: number; readonly xmax: number; readonly ymax: number };
  }[];
}

/** The boxes over their picture, if this browser can show that, and their labels and scores. */
function boxedPicture({ height, width, threshold, boxes }: Boxed, picture: Canvas | undefined): Element[] {
  const canvas = overPicture('The boxes over the picture', { height, width }, picture, (context, [across, down]) => {
    const scaled = boxes.map(({ index, box: { xmin, ymin, xmax, ymax } }) => {
      return { index, box: [xmin * across, ymin * down, xmax * across, ymax * down] as const };
    });
    strokeBoxes(context, scaled);
  });
  const none = make('p', { class: 'soft' }, `No box has a score of ${percent(threshold, 0)} or more.`);
  const rows = boxes.map(({ index, label, score }) => {
    return { name: label, value: percent(score, 1), share: score, colour: `rgb(${boxColour(index).join(',')})` };
  });
  return [canvas, rows.length === 0 ? none : bars(rows)];
}

export const shown: ShownForm<Boxed> = {
  told: { key: 'boxes' },
  called: 'boxes',
  shown: (boxed, _, picture) => ({ elements: () => boxedPicture(boxed, picture) }),
};
