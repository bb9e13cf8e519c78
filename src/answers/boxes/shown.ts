import { percent } from '../../base/numbers.ts';
import type { Canvas, Element } from '../../page/browser/dom.ts';
import { bars } from '../../page/browser/forms.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { canvasOf, make } from '../../page/browser/make.ts';
import { boxColour } from '../../report/mask-colours.ts';

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
  const canvas = canvasOf(picture?.width ?? width, picture?.height ?? height, {
    class: 'masked',
    role: 'img',
    'aria-label': 'The boxes over the picture',
  });
  const context = canvas.getContext('2d');
  if (picture !== undefined) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const [across, down] = [canvas.width / width, canvas.height / height];
  context.lineWidth = Math.max(2, Math.min(canvas.width, canvas.height) / 120);
  for (const { index, box } of boxes) {
    context.strokeStyle = colourOfClass(index);
    const [x, y] = [box.xmin * across, box.ymin * down];
    context.strokeRect(x, y, (box.xmax - box.xmin) * across, (box.ymax - box.ymin) * down);
  }
  const none = make('p', { class: 'soft' }, `No box has a score of ${percent(threshold, 0)} or more.`);
  const rows = boxes.map(({ index, label, score }) => {
    return { name: label, value: percent(score, 1), share: score, colour: colourOfClass(index) };
  });
  return [canvas, rows.length === 0 ? none : bars(rows)];
}

function colourOfClass(index: number): string {
  return `rgb(${boxColour(index).join(',')})`;
}

export const shown: ShownForm<Boxed> = {
  told: { key: 'boxes' },
  called: 'boxes',
  shown: (boxed, _, picture) => ({ elements: () => boxedPicture(boxed, picture) }),
};
