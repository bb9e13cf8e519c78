import { UserError } from '../../base/errors.ts';
import type { Geometry, PixelMap } from '../../data/augment/geometry.ts';
import type { TargetMover } from '../../data/targets/reader.ts';
import { ABSENT, HEAD_WIDTH, POINT_WIDTH, UNPAIRED } from './layout.ts';

/**
 * Moves points with their pictures. Points that leave the picture become absent. In a mirrored picture the points of a pair change places: the left hand
 * looks like a right one. `UserError` for a mirrored picture if nobody has said which points make pairs.
 */
export const movePoints: TargetMover<Float32Array> = (targets, geometries, { height, width }) => {
  const out = Float32Array.from(targets);
  const each = targets.length / geometries.length;
  const count = (each - HEAD_WIDTH) / POINT_WIDTH;
  geometries.forEach((maps, i) => {
    if (maps.length === 0) return;
    const isMirrored = maps.reduce((sign, map) => sign * determinantOf(map), 1) < 0;
    for (let k = 0; k < count; k++) {
      const from = i * each + HEAD_WIDTH + k * POINT_WIDTH;
      const partner = targets[from + 3]!;
      if (isMirrored && partner === UNPAIRED) throw unpaired();
      const to = isMirrored ? i * each + HEAD_WIDTH + partner * POINT_WIDTH : from;
      const [x, y] = moved([targets[from]! * width, targets[from + 1]! * height], maps);
      const isInside = x >= 0 && x <= width && y >= 0 && y <= height;
      out[to] = isInside ? x / width : 0;
      out[to + 1] = isInside ? y / height : 0;
      out[to + 2] = isInside ? targets[from + 2]! : ABSENT;
    }
  });
  return out;
};

/** `UserError` for pictures that are flipped without pairs. */
export function unpaired(): UserError {
  return new UserError(
    'dataset.flipPairs: expected the pairs of points that change their names in a flipped picture, received none',
    'Set it, such as [[left hand, right hand]], or `flipPairs: []` if no two points do; or leave the flip out of `augment`.',
  );
}

type Place = readonly [x: number, y: number];

/** Maps lead from the changed picture to the picture before, from centre of a pixel to centre of a pixel. */
function moved(place: Place, maps: Geometry): Place {
  return maps.reduce<Place>(([x, y], map) => {
    const { xx, xy, x0, yx, yy, y0 } = map;
    const determinant = determinantOf(map);
    const [u, v] = [x - 0.5 - x0, y - 0.5 - y0];
    return [(yy * u - xy * v) / determinant + 0.5, (xx * v - yx * u) / determinant + 0.5];
  }, place);
}

function determinantOf({ xx, xy, yx, yy }: PixelMap): number {
  return xx * yy - xy * yx;
}
