import type { Canvas, Element } from '../../page/browser/dom.ts';
import { bars } from '../../page/browser/forms.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { canvasOf } from '../../page/browser/make.ts';
import { boxColour } from '../../report/mask-colours.ts';

/** Points of a picture as the server answers them, in pixels of the picture that was sent. */
interface Pointed {
  readonly height: number;
  readonly width: number;
  readonly points: readonly {
    readonly name: string;
    readonly x: number;
    readonly y: number;
    readonly score: number;
  }[];
}

/** The points over their picture, if this browser can show that, and their names and scores. */
function pointedPicture({ height, width, points }: Pointed, picture: Canvas | undefined): Element[] {
  const canvas = canvasOf(picture?.width ?? width, picture?.height ?? height, {
    class: 'masked',
    role: 'img',
    'aria-label': 'The points over the picture',
  });
  const context = canvas.getContext('2d');
  if (picture !== undefined) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const [across, down] = [canvas.width / width, canvas.height / height];
  const side = Math.max(4, Math.min(canvas.width, canvas.height) / 40);
  context.lineWidth = Math.max(2, side / 3);
  points.forEach(({ x, y }, k) => {
    context.strokeStyle = colourOf(k);
    context.strokeRect(x * across - side / 2, y * down - side / 2, side, side);
  });
  const rows = points.map(({ name, x, y, score }, k) => {
    return { name, value: `${x.toFixed(0)}, ${y.toFixed(0)}`, share: score, colour: colourOf(k) };
  });
  return [canvas, bars(rows)];
}

function colourOf(point: number): string {
  return `rgb(${boxColour(point).join(',')})`;
}

export const shown: ShownForm<Pointed> = {
  told: { key: 'points' },
  called: 'points',
  shown: (pointed, _, picture) => ({ elements: () => pointedPicture(pointed, picture) }),
};
