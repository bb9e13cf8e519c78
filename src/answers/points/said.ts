import { placeIn } from '../../data/pictures/letterbox.ts';
import type { PicturePlace } from '../../data/pictures/letterbox.ts';
import { objectOf } from '../../serve/http/openapi-schemas.ts';
import { Refusal } from '../../serve/refusal.ts';
import type { SaidForm } from '../../serve/v1/forms.ts';
import { isPicture, readSamples } from '../../serve/v1/raw.ts';
import type { SentTo } from '../../serve/v1/raw.ts';
import { decodedPoints, DECODED_WIDTH } from './simcc.ts';

/** A point in pixels of the picture that was sent. */
interface SaidPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

/** A picture, and where it lies in the picture that the model takes. */
interface Placed {
  readonly height: number;
  readonly width: number;
  readonly place: PicturePlace;
}

/** Size and place of the picture that was sent; raw values are a picture of the size that the model takes. */
async function placedPicture({ contentType, body, described }: SentTo): Promise<Placed> {
  const [height, width] = described.shape as readonly [number, number, number];
  if (!isPicture(contentType)) return { height, width, place: placeIn({ height, width }, undefined, undefined) };
  const { pictureHeader } = await import('../../data/pictures/picture.ts');
  const { autoOrient: own } = await pictureHeader(body);
  return { height: own.height, width: own.width, place: placeIn(own, [height, width], described.fit) };
}

/** Points of a picture from the logits of a model, or from points [n, 3] that its file has decoded. */
export function saidPoints(
  row: readonly number[],
  { names = [], logits }: { readonly names?: readonly string[] | undefined; readonly logits: boolean },
  { height, width, place }: Placed,
): { readonly height: number; readonly width: number; readonly points: readonly SaidPoint[] } {
  const bins = row.length / names.length / 2;
  if (!Number.isInteger(logits ? bins : row.length / DECODED_WIDTH / names.length))
    throw new Refusal(500, `the model answers ${row.length} numbers, which are no places of ${names.length} points`);
  if (row.some((value) => !Number.isFinite(value)))
    throw new Refusal(400, 'the model answers numbers that are not finite to this picture');
  const found = logits ? decodedPoints(row, bins) : row;
  const within = (value: number, from: number, share: number, size: number): number =>
    size * Math.min(1, Math.max(0, (value - from) / share));
  const points = names.map((name, k) => ({
    name,
    x: within(found[k * DECODED_WIDTH]!, place.left, place.across, width),
    y: within(found[k * DECODED_WIDTH + 1]!, place.top, place.down, height),
    score: found[k * DECODED_WIDTH + 2]!,
  }));
  return { height, width, points };
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
  read: async (sent) => ({ ...(await readSamples(sent)), needs: await placedPicture(sent) }),
  answerOf: (row, _, { said: as, needs }) => saidPoints(row, as, needs as Placed),
  answered: 'The places of points',
  each: 'The points of each picture',
  prediction: pointsSchema,
};
