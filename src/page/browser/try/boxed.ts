import { percent } from '../../../base/numbers.ts';
import { boxColour } from '../../../report/mask-colours.ts';
import type { Canvas, Element } from '../dom.ts';
import { canvasOf, make } from '../make.ts';

/** Boxes in a picture as the server answers them, the highest score first; sides in pixels of the picture that was sent. */
export interface Boxed {
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
export function boxedPicture({ height, width, threshold, boxes }: Boxed, picture: Canvas | undefined): Element[] {
  const canvas = canvasOf(picture?.width ?? width, picture?.height ?? height, {
    ...{ class: 'masked', role: 'img', 'aria-label': 'The boxes over the picture' },
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
  const rows = boxes.map(({ index, label, score }) => {
    const fill = make('i');
    fill.style.setProperty('width', `${(100 * score).toFixed(1)}%`);
    fill.style.setProperty('background', colourOfClass(index));
    return make(
      'li',
      {},
      make('span', { class: 'label' }, label),
      make('span', { class: 'value' }, percent(score, 1)),
      make('span', { class: 'bar', 'aria-hidden': true }, fill),
    );
  });
  const none = make('p', { class: 'soft' }, `No box has a score of ${percent(threshold, 0)} or more.`);
  return [canvas, rows.length === 0 ? none : make('ol', {}, ...rows)];
}

function colourOfClass(index: number): string {
  return `rgb(${boxColour(index).join(',')})`;
}
