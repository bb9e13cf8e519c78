import { UserError } from '../../base/errors.ts';
import { countOfElements, isImageShape } from '../../data/dataset.ts';
import type { Dataset, Normalization } from '../../data/dataset.ts';
import { areBytes, rowReader } from '../../data/storage/sample-storage.ts';
import { withPictureEnds } from '../../formats/tflite/rewrite/picture-ends.ts';
import type { TaskEnds } from './ends.ts';

/**
 * A pixel as the changed file prepares it, in float32 by a product, a difference and a quotient: a value that differs in its last bit may be rounded to another
 * step of an int8 file, for all pixels of one colour.
 */
function preparedAs({ scale, mean, std }: Normalization, pixel: number, at: number): number {
  const of = (values: readonly number[]): number => Math.fround(values[at % values.length]!);
  return Math.fround(Math.fround(pixel * Math.fround(scale)) - of(mean)) / of(std);
}

/** Pictures for MediaPipe, which feeds colours of 0 … 255. `UserError` for samples that are no pictures of 8 bits, grey or in colour. */
export function pictureEnds(data: Dataset): TaskEnds {
  const { sampleShape, normalization, count, inputs } = data;
  const channels = sampleShape[2];
  if (!isImageShape(sampleShape) || (channels !== 1 && channels !== 3) || inputs !== undefined)
    throw new UserError(
      `export --mediapipe: expected a model of texts or pictures, received samples of shape [${sampleShape.join(', ')}]`,
      '`limbeck export RUN --kit DIR` writes samples for phones and browsers for it.',
    );
  if (!areBytes(data))
    throw new UserError(
      'export --mediapipe: expected pictures of 8 bits, received numbers of another range',
      'MediaPipe opens picture files: train on those, or on arrays of uint8.',
    );
  const read = rowReader(data, countOfElements(sampleShape));
  return {
    changed: (bytes, end, description) => withPictureEnds(bytes, { sampleShape, normalization, ...end }, description),
    *samples(most) {
      for (let row = 0; row < Math.min(most, count); row++) {
        const pixels = Float32Array.from(read(row));
        const given = pixels.map((pixel, i) => preparedAs(normalization, pixel, i));
        const changed =
          channels === 3
            ? pixels
            : Float32Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)]!);
        yield { given: () => given, changed: () => changed };
      }
    },
    packed: `normalization${channels === 1 ? ' and grey' : ''}`,
    notes: [
      `MediaPipe resizes pictures that are not ${sampleShape[0]}x${sampleShape[1]} itself, without the filter of \`limbeck evaluate\`, so that answers near a boundary may differ${channels === 1 ? '; they are made grey after that' : ''}.`,
    ],
  };
}
