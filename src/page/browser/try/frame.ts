import { fittedPixels, opaque } from '../../../data/pictures/fitted.ts';
import { normalized } from '../../../data/normalized.ts';
import type { Described } from '../card.ts';
import type { Canvas } from '../dom.ts';
import { canvasOf, make } from '../make.ts';
import { rangeOf } from './group.ts';

/** Request to a model. */
export interface Question {
  readonly body: Blob | string;
  readonly type: string;
  /** Picture that was drawn or seen, where this browser can read it. */
  readonly picture?: Canvas;
  /** Name of the sample where it is compared with others. */
  readonly label?: string;
  /** Other samples, with which this sample is compared. */
  readonly beside?: readonly Question[];
}

/** A drawing or a frame as the model takes it: a picture, or values in the range of its data where that is no byte. */
export async function questionOf(source: Canvas, described: Described): Promise<Question> {
  const range = rangeOf(described);
  if (range.isBytes) {
    const picture = canvasOf(source.width, source.height);
    picture.getContext('2d', { willReadFrequently: true }).drawImage(source, 0, 0);
    const blob = await new Promise<Blob | null>((take) => source.toBlob(take, 'image/png'));
    if (blob === null) throw new Error('this browser cannot make a picture of it');
    return { body: blob, type: 'image/png', picture };
  }
  return {
    body: JSON.stringify({ inputs: nested(valuesOf(source, described), described) }),
    type: 'application/json',
  };
}

/** The same for a model that wants its values prepared: by the preparation of another. */
export function preparedQuestion(source: Canvas, described: Described): Question {
  const values = normalized(valuesOf(source, described), described.normalization!);
  return { body: JSON.stringify({ inputs: nested(values, described) }), type: 'application/json' };
}

/** Values of a picture at the size that the model wants, in the range of its data, channels last. */
function valuesOf(source: Canvas, described: Described): number[] {
  const { white } = rangeOf(described);
  return Array.from(seenPixels(source, described), (value) => (value * white) / 255);
}

/** Pixels of a picture as the model sees them. */
function seenPixels(source: Canvas, { shape, fit }: Described): Uint8Array {
  const { width, height } = source;
  const { data } = source.getContext('2d').getImageData(0, 0, width, height);
  const picture = { data: new Uint8Array(data.buffer), width, height, channels: 4 };
  return fittedPixels(picture, shape as [number, number, number], fit);
}

/** Values as [height][width][channels]. */
function nested(values: ArrayLike<number>, described: Described): number[][][] {
  const [height, width, channels] = described.shape as [number, number, number];
  const pixel = (at: number): number[] => Array.from({ length: channels }, (_, c) => values[at * channels + c]!);
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (__, x) => pixel(y * width + x)));
}

/** The largest part of a picture that has the proportions of the model's input, from its middle, and inverted where wanted. */
export function cropped(source: object, width: number, height: number, described: Described, invert: boolean): Canvas {
  const [rows, columns] = described.shape as [number, number];
  const scale = Math.min(width / columns, height / rows);
  const [w, h] = [columns * scale, rows * scale];
  const most = Math.min(1, 320 / Math.max(w, h));
  const target = canvasOf(Math.round(w * most), Math.round(h * most));
  const context = target.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  if (invert) context.filter = 'invert(1)';
  context.drawImage(source, (width - w) / 2, (height - h) / 2, w, h, 0, 0, target.width, target.height);
  return target;
}

/** A small picture of what reaches the model, in its own pixels. */
export function seen(described: Described) {
  const [height, width, channels] = described.shape as [number, number, number];
  const canvas = canvasOf(width, height, { class: 'seen', role: 'img', 'aria-label': 'What the model sees' });
  const context = canvas.getContext('2d');
  const picture = context.createImageData(width, height);
  const element = make(
    'figure',
    { class: 'sees' },
    canvas,
    make('figcaption', {}, `the model sees ${width} × ${height} pixels`),
  );
  const show = (source: Canvas): void => {
    picture.data.set(opaque(seenPixels(source, described), channels));
    context.putImageData(picture, 0, 0);
  };
  return { element, show };
}
