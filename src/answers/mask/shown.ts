import { percent } from '../../base/numbers.ts';
import type { Canvas, Element } from '../../page/browser/dom.ts';
import { bars } from '../../page/browser/forms.ts';
import type { ShownForm } from '../../page/browser/forms.ts';
import { canvasOf } from '../../page/browser/make.ts';
import { colouredMask, maskColour } from '../../report/mask-colours.ts';

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
  const mask = drawn(masked);
  const { width, height } = picture ?? mask;
  const canvas = canvasOf(width, height, { class: 'masked', role: 'img', 'aria-label': 'The mask over the picture' });
  const context = canvas.getContext('2d');
  if (picture !== undefined) {
    context.drawImage(picture, 0, 0, width, height);
    context.globalAlpha = 0.5;
  }
  context.imageSmoothingEnabled = false;
  context.drawImage(mask, 0, 0, width, height);
  const rows = masked.segments.map(({ index, label, area }) => {
    const colour = `rgb(${maskColour(index).join(',')})`;
    return { name: label, value: percent(area, 1), share: Math.max(0.004, area), colour };
  });
  return [canvas, bars(rows)];
}

/** The colours of a mask, a pixel for each of its pixels. */
function drawn({ width, height, runs, segments }: Masked): Canvas {
  const mask = new Uint8Array(width * height);
  let at = 0;
  for (let i = 0; i < runs.length; i += 2) {
    mask.fill(runs[i]!, at, at + runs[i + 1]!);
    at += runs[i + 1]!;
  }
  const colours = colouredMask(mask, Math.max(...segments.map(({ index }) => index)) + 1);
  const canvas = canvasOf(width, height);
  const context = canvas.getContext('2d');
  const pixels = context.getImageData(0, 0, width, height);
  mask.forEach((_, pixel) => pixels.data.set([...colours.subarray(3 * pixel, 3 * pixel + 3), 255], 4 * pixel));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

export const shown: ShownForm<Masked> = {
  told: { key: 'mask' },
  called: 'classes of pixels',
  gives: 'a score of each class for each pixel',
  shown: (masked, _, picture) => ({ elements: () => maskedPicture(masked, picture) }),
};
