import { placeIn } from '../../data/pictures/letterbox.ts';
import type { PicturePlace } from '../../data/pictures/letterbox.ts';
import { isPicture } from './raw.ts';
import type { SentTo } from './raw.ts';

/** A picture's size in pixels, and its place in the picture that the model takes. */
export interface PlacedPicture {
  readonly height: number;
  readonly width: number;
  readonly place: PicturePlace;
}

/** Size and place of a picture that was sent; raw values are a picture of the size that the model takes. */
export async function sentPicture({ contentType, body, described }: SentTo): Promise<PlacedPicture> {
  const [height, width] = described.shape as readonly [number, number, number];
  if (!isPicture(contentType)) return { height, width, place: placeIn({ height, width }, undefined, undefined) };
  const { pictureHeader } = await import('../../data/pictures/picture.ts');
  const { autoOrient: own } = await pictureHeader(body);
  return { height: own.height, width: own.width, place: placeIn(own, [height, width], described.fit) };
}
