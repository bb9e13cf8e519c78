import { UserError } from '../../../base/errors.ts';
import { isImageShape, countOfElements } from '../../../data/dataset.ts';
import type { Dataset, Normalization } from '../../../data/dataset.ts';
import type { AtSize, PictureForm } from '../../../data/pictures/originals.ts';
import { broughtTo } from '../../../data/pictures/resize.ts';
import type { Resizing } from '../../../data/pictures/resize.ts';

/** Size and channels of pictures for a model, if they differ from the data set's, and how they get that size. */
export interface OwnSize extends Resizing {
  /** [height, width] */
  readonly resize?: readonly [number, number] | undefined;
  readonly channels?: 1 | 3 | undefined;
}

/** Samples in a model's form, before its own normalization. */
export interface Seen {
  readonly form: Pick<Dataset, 'sampleShape' | 'normalization' | 'inputs'> & { readonly resizing?: Resizing };
  /** `x`: [n, ...sampleShape] of the data set; `original`: the same samples from their picture files, if any. */
  bring(x: Float32Array, n: number, original?: AtSize): Promise<Float32Array>;
}

type Given = Pick<Dataset, 'sampleShape' | 'normalization' | 'inputs' | 'maxBoxes' | 'points' | 'fit'>;

/** `UserError` for samples that are no pictures, or have neither one nor three channels. */
export function seenAs(dataset: Given, { resize, channels, filter, cutFrom }: OwnSize): Seen {
  const { sampleShape, normalization } = dataset;
  const key = resize === undefined ? 'channels' : 'resize';
  if (resize === undefined && channels === undefined) return { form: dataset, bring: (x) => Promise.resolve(x) };
  if (!isImageShape(sampleShape) || dataset.inputs !== undefined)
    throw new UserError(
      `teacher.${key}: expected pictures, received samples of shape [${sampleShape.join(', ')}]`,
      'Remove it: only pictures can be resized.',
    );
  const [height, width, has] = sampleShape;
  const wanted = channels ?? has;
  if (wanted !== has && has !== 1 && has !== 3)
    throw new UserError(
      `teacher.channels: expected pictures of 1 or 3 channels, received ${has}`,
      'Remove it: only grey and colour can be converted.',
    );
  const [toHeight, toWidth] = resize ?? [height, width];
  if (toHeight === height && toWidth === width && wanted === has && filter === undefined && cutFrom === undefined)
    return { form: dataset, bring: (x) => Promise.resolve(x) };
  refuseMoved(dataset, [toHeight, toWidth], cutFrom);
  const { fit } = dataset;
  const form = {
    sampleShape: [toHeight, toWidth, wanted] as const,
    normalization: normalizationFor(normalization, wanted),
    ...((filter ?? cutFrom ?? fit) !== undefined && { resizing: { filter, cutFrom, ...(fit && { fit }) } }),
  } satisfies PictureForm;
  const bring: Seen['bring'] = (x, n, original) => {
    if (original !== undefined) return original(form);
    const out = new Float32Array(n * countOfElements(form.sampleShape));
    const each = countOfElements(sampleShape);
    for (let i = 0; i < n; i++) {
      const picture = inChannels(x.subarray(i * each, (i + 1) * each), { normalization, to: form.normalization });
      out.set(
        broughtTo(picture, [height, width, wanted], [toHeight, toWidth], form.resizing),
        i * countOfElements(form.sampleShape),
      );
    }
    return Promise.resolve(out);
  };
  return { form, bring };
}

/** `UserError` for a size at which boxes or points would lie at other shares of the picture than in the data. */
function refuseMoved({ maxBoxes, points, fit, sampleShape }: Given, to: readonly [number, number], cutFrom: unknown) {
  if (maxBoxes === undefined && points === undefined) return;
  const what = maxBoxes === undefined ? 'points' : 'boxes';
  const [height, width] = sampleShape as readonly [number, number];
  if (cutFrom !== undefined) throw new UserError(`teacher.cutFrom: ${what} lie in the whole picture`, 'Take it out.');
  if (fit === undefined || to[0] * width === to[1] * height) return;
  throw new UserError(
    `teacher.resize: expected the proportions of the data, ${height}x${width}, received ${to.join('x')}: ${what} would lie elsewhere in pictures that keep their own`,
    'Set `dataset.resize` to the same proportions, or `dataset.fit: stretch`.',
  );
}

/** Shape of a sample as a model reads it. */
export function shapeSeen({ resize, channels }: OwnSize, sampleShape: readonly number[]): readonly number[] {
  const [height, width, own] = sampleShape;
  return sampleShape.length === 3 ? [...(resize ?? [height!, width!]), channels ?? own!] : sampleShape;
}

/** ITU-R 601-2 luma. */
const LUMA = [0.299, 0.587, 0.114] as const;

const luma = (values: readonly number[]): number => LUMA.reduce((sum, weight, c) => sum + weight * values[c]!, 0);

/** Normalization of pictures converted to other channels: grey gets the luma-weighted means of the colours, each colour gets grey's. */
function normalizationFor({ scale, mean, std }: Normalization, channels: number): Normalization {
  if (mean.length === channels) return { scale, mean, std };
  const spread = (values: readonly number[]): number[] =>
    values.length === 3 ? [luma(values)] : Array.from({ length: channels }, () => values[0]!);
  return { scale, mean: spread(mean), std: spread(std) };
}

/** A normalized picture converted to grey or to colour. */
function inChannels(
  x: Float32Array,
  { normalization, to }: { readonly normalization: Normalization; readonly to: Normalization },
): Float32Array {
  const [has, wanted] = [normalization.mean.length, to.mean.length];
  if (has === wanted) return x;
  const pixels = x.length / has;
  const out = new Float32Array(pixels * wanted);
  if (has === 1) for (let i = 0; i < out.length; i++) out[i] = x[Math.floor(i / wanted)]!;
  else
    for (let p = 0; p < pixels; p++) {
      const raw = LUMA.map((_, c) => x[p * has + c]! * normalization.std[c]! + normalization.mean[c]!);
      out[p] = (luma(raw) - to.mean[0]!) / to.std[0]!;
    }
  return out;
}
