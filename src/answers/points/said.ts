import { skeletonIn } from '../../files/stated.ts';
import { objectOf } from '../../serve/http/openapi-schemas.ts';
import { Refusal } from '../../serve/refusal.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { sentPicture } from '../../serve/v1/placed-picture.ts';
import type { PlacedPicture } from '../../serve/v1/placed-picture.ts';
import { readSamples } from '../../serve/v1/raw.ts';
import { foundPoints } from './found.ts';
import type { FoundPoint } from './found.ts';
import { DECODED_WIDTH } from './simcc.ts';

/** Points of a picture from the logits of a model, or from points [n, 3] that its file has decoded. */
export function saidPoints(
  row: readonly number[],
  { names = [], logits }: { readonly names?: readonly string[] | undefined; readonly logits: boolean },
  { place, ...size }: PlacedPicture,
): { readonly height: number; readonly width: number; readonly points: readonly FoundPoint[] } {
  const bins = row.length / names.length / 2;
  if (!Number.isInteger(logits ? bins : row.length / DECODED_WIDTH / names.length))
    throw new Refusal(500, `the model answers ${row.length} numbers, which are no places of ${names.length} points`);
  if (row.some((value) => !Number.isFinite(value)))
    throw new Refusal(400, 'the model answers numbers that are not finite to this picture');
  return { ...size, points: foundPoints(row, names, size, place) };
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
  stated: ({ metadata }, { names = [] }) => {
    const skeleton = skeletonIn(metadata, names.length);
    return skeleton === undefined ? {} : { skeleton };
  },
  read: async (sent) => ({ ...(await readSamples(sent)), needs: await sentPicture(sent) }),
  answerOf: (row, _, { said: as, needs }) => saidPoints(row, as, needs as PlacedPicture),
  answered: 'The places of points',
  each: 'The points of each picture',
  prediction: pointsSchema,
};
