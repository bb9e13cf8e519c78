import { objectOf } from '../../serve/http/openapi-schemas.ts';
import { Refusal } from '../../serve/refusal.ts';
import type { Said } from '../../serve/v1/answers.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { masksOf } from './masks.ts';

/** A class with its share of the pixels of a picture. */
interface Segment {
  readonly index: number;
  readonly label?: string;
  readonly area: number;
}

/** A class for each pixel of a picture of the size that the model takes. */
interface Segmented {
  readonly height: number;
  readonly width: number;
  /** Classes of the pixels, row by row, in runs: index, number of pixels, index, number of pixels, … */
  readonly runs: readonly number[];
  /** The classes that pixels have, the largest area first. */
  readonly segments: readonly Segment[];
}

/** The mask of a picture [height, width, channels] from its classes [height · width], or from logits of cells, which are resized bilinearly. */
function segmented(row: readonly number[], { names = [], logits }: Said, shape: readonly number[]): Segmented {
  const [height, width] = shape as readonly [number, number, number];
  const mask = logits ? maskOf(row, names.length, [height, width]) : row;
  if (mask.length !== height * width || mask.some((index) => names[index] === undefined))
    throw new Refusal(500, `the model answers no class of ${names.length} for each of ${height}×${width} pixels`);
  const counts = names.map(() => 0);
  const runs: number[] = [];
  for (const index of mask) {
    counts[index]!++;
    if (runs.at(-2) === index) runs[runs.length - 1]!++;
    else runs.push(index, 1);
  }
  const segments = counts
    .map((count, index) => ({ index, label: names[index]!, area: count / mask.length }))
    .filter(({ area }) => area > 0)
    .sort((a, b) => b.area - a.area || a.index - b.index);
  return { height, width, runs, segments };
}

/** The mask of logits at every `stride`-th pixel, [rows · columns · classes]. */
function maskOf(row: readonly number[], classes: number, [height, width]: readonly [number, number]): Uint8Array {
  const stride = Math.sqrt((height * width * classes) / row.length);
  if (!Number.isInteger(stride) || height % stride !== 0 || width % stride !== 0)
    throw new Refusal(
      500,
      `the model answers ${row.length} numbers, which is no grid of ${classes} classes over ${height}×${width} pixels`,
    );
  if (row.some((value) => !Number.isFinite(value)))
    throw new Refusal(400, 'the model answers numbers that are not finite to this picture');
  const grid = { rows: height / stride, columns: width / stride, classes, stride };
  return masksOf(Float32Array.from(row), grid);
}

/** A class for each pixel of a picture. */
function maskSchema(classes: readonly string[] | undefined): object {
  const index = { type: 'integer', minimum: 0 };
  const size = { type: 'integer', minimum: 1 };
  const label = { type: 'string', ...(classes !== undefined && { enum: [...new Set(classes)] }) };
  return objectOf({
    height: size,
    width: size,
    runs: {
      type: 'array',
      items: index,
      description: 'Classes of the pixels, row by row: index, number of pixels, index, number of pixels, …',
    },
    segments: {
      type: 'array',
      items: objectOf({ index, label, area: { type: 'number', minimum: 0, maximum: 1 } }),
      description: 'Classes that pixels have, with their share of the pixels, the largest first',
    },
  });
}

export const said: SaidForm = {
  answerOf: (row, _, { said: as, described }) => segmented(row, as, described.shape),
  answered: 'A class for each pixel',
  each: 'The mask of each picture',
  prediction: maskSchema,
};
