import { inPicture } from '../../data/pictures/letterbox.ts';
import { objectOf } from '../../serve/http/openapi-schemas.ts';
import { Refusal } from '../../serve/refusal.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { sentPicture } from '../../serve/v1/placed-picture.ts';
import type { PlacedPicture } from '../../serve/v1/placed-picture.ts';
import { readSamples } from '../../serve/v1/raw.ts';
import { decodedPoints, DECODED_WIDTH } from './simcc.ts';

/** A point in pixels of the picture that was sent. */
interface SaidPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

/** Points of a picture from the logits of a model, or from points [n, 3] that its file has decoded. */
export function saidPoints(
  row: readonly number[],
  { names = [], logits }: { readonly names?: readonly string[] | undefined; readonly logits: boolean },
  { place, ...size }: PlacedPicture,
): { readonly height: number; readonly width: number; readonly points: readonly SaidPoint[] } {
  const bins = row.length / names.length / 2;
  if (!Number.isInteger(logits ? bins : row.length / DECODED_WIDTH / names.length))
    throw new Refusal(500, `the model answers ${row.length} numbers, which are no places of ${names.length} points`);
  if (row.some((value) => !Number.isFinite(value)))
    throw new Refusal(400, 'the model answers numbers that are not finite to this picture');
  const found = logits ? decodedPoints(row, bins) : row;
  const points = names.map((name, k) => {
    const [across, down, score] = found.slice(k * DECODED_WIDTH, (k + 1) * DECODED_WIDTH);
    const [x, y] = inPicture([across!, down!], size, place);
    return { name, x, y, score: score! };
  });
  return { ...size, points };
}

function pointsSchema(names: readonly string[] | undefined): object {
  const size = { type: 'integer', minimum: 1 };
  const side = { type: 'number', minimum: 0 };
  const name = { type: 'string', ...(names !== undefined && { enum: [...new Set(names)] }) };
  return objectOf({
    height: size,
    width: size,
    points: {
      type: 'array',
      items: objectOf({ name, x: side, y: side, score: { type: 'number', minimum: 0, maximum: 1 } }),
      description: 'Points in pixels of the picture, which has this height and width',
    },
  });
}

export const said: SaidForm = {
  read: async (sent) => ({ ...(await readSamples(sent)), needs: await sentPicture(sent) }),
  answerOf: (row, _, { said: as, needs }) => saidPoints(row, as, needs as PlacedPicture),
  answered: 'The places of points',
  each: 'The points of each picture',
  prediction: pointsSchema,
};
