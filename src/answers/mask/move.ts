import type { Geometry } from '../../data/augment/geometry.ts';
import { IGNORED } from '../../data/targets/ignored.ts';
import type { TargetMover } from '../../data/targets/reader.ts';

/**
 * Moves masks, [n, height, width] class indexes, with their pictures: each pixel takes the class of the nearest pixel that its picture shows there.
 * Pixels from outside of the picture are ignored.
 */
export const moveMasks: TargetMover<Uint8Array> = (masks, geometries, size) => {
  const pixels = size.height * size.width;
  const out = new Uint8Array(masks.length);
  geometries.forEach((maps, i) => {
    const [from, to] = [i * pixels, (i + 1) * pixels];
    if (maps.length === 0) out.set(masks.subarray(from, to), from);
    else moveMask(masks.subarray(from, to), out.subarray(from, to), maps, size);
  });
  return out;
};

function moveMask(
  mask: Uint8Array,
  out: Uint8Array,
  maps: Geometry,
  { height, width }: { readonly height: number; readonly width: number },
): void {
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      let [u, v, isInside] = [x, y, true];
      // From the last step's picture back to the picture of the data set.
      for (let i = maps.length - 1; i >= 0 && isInside; i--) {
        const { xx, xy, x0, yx, yy, y0 } = maps[i]!;
        [u, v] = [xx * u + xy * v + x0, yx * u + yy * v + y0];
        isInside = u >= -0.5 && u < width - 0.5 && v >= -0.5 && v < height - 0.5;
      }
      out[at] = isInside ? mask[Math.floor(v + 0.5) * width + Math.floor(u + 0.5)]! : IGNORED;
    }
  }
}
