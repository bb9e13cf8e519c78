import { percent } from '../../base/numbers.ts';
import type { Canvas, Element } from '../../page/browser/dom.ts';
import { bars, overPicture } from '../../page/browser/forms.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { canvasOf } from '../../page/browser/make.ts';
import { maskColour } from '../../report/mask-colours.ts';
import { layMask } from './drawn.ts';

/** A class for each pixel of a picture as the server answers it: runs of pixels, row by row, and the share of each class. */
interface Masked {
  readonly height: number;
  readonly width: number;
  /** Index, number of pixels, index, number of pixels, … */
  readonly runs: readonly number[];
  readonly segments: readonly { readonly index: number; readonly label: string; readonly area: number }[];
}

/** The mask over its picture, if this browser can show that, and the classes with their colours and shares. */
function maskedPicture(masked: Masked, picture: Canvas | undefined): Element[] {
  const { width, height, segments } = masked;
  const canvas = overPicture('The mask over the picture', masked, picture, (context) => {
    const classes = Math.max(...segments.map(({ index }) => index)) + 1;
    const share = picture === undefined ? 1 : 0.5;
    layMask(context, canvasOf(width, height).getContext('2d'), { mask: pixelsOf(masked), classes, share });
  });
  const rows = segments.map(({ index, label, area }) => {
    const colour = `rgb(${maskColour(index).join(',')})`;
    return { name: label, value: percent(area, 1), share: Math.max(0.004, area), colour };
  });
  return [canvas, bars(rows)];
}

/** Class of each pixel. */
function pixelsOf({ width, height, runs }: Masked): Uint8Array {
  const mask = new Uint8Array(width * height);
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) {
    mask.fill(runs[i]!, at, at + runs[i + 1]!);
    at += runs[i + 1]!;
  }
  return mask;
}

export const shown: ShownForm<Masked> = {
  told: { key: 'mask' },
  called: 'classes of pixels',
  gives: 'a score of each class for each pixel',
  shown: (masked, _, picture) => ({ elements: () => maskedPicture(masked, picture) }),
};
