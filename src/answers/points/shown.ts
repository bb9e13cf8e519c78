import type { Canvas, Element } from '../../page/browser/dom.ts';
import { bars, overPicture } from '../../page/browser/forms.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { boxColour } from '../../report/mask-colours.ts';
import { strokePoints } from './drawn.ts';

type Skeleton = Parameters<typeof strokePoints>[2];

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

/** The points and their skeleton over their picture, if this browser can show that, and their names, places and scores. */
function pointedPicture({ points, ...size }: Pointed, skeleton: Skeleton, picture: Canvas | undefined): Element[] {
  const canvas = overPicture('The points over the picture', size, picture, (context, [across, down]) => {
    const scaled = points.map(({ x, y, score }) => ({ x: x * across, y: y * down, score }));
    strokePoints(context, scaled, skeleton);
  });
  const rows = points.map(({ name, x, y, score }, k) => {
    const colour = `rgb(${boxColour(k).join(',')})`;
    return { name, value: `${x.toFixed(0)}, ${y.toFixed(0)}`, share: score, colour };
  });
  return [canvas, bars(rows)];
}

export const shown: ShownForm<Pointed> = {
  told: { key: 'points' },
  called: 'points',
  gives: (logits) => (logits ? 'a score of each column and each row for each point' : 'x, y and score of each point'),
  shown: (pointed, _, picture, described) => {
    const { skeleton = [] } = (described ?? {}) as { readonly skeleton?: Skeleton };
    return { elements: () => pointedPicture(pointed, skeleton, picture) };
  },
};
