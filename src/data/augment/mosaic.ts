import { RandomStream } from '../../base/random.ts';
import type { SampleWriter } from '../batches/samples.ts';
import type { AugmentStep } from '../config.ts';
import type { Dataset } from '../dataset.ts';
import { mosaicTargets } from '../targets/registry.ts';
import { straight } from './geometry.ts';
import type { PixelMap } from './geometry.ts';
import type { ImageShape } from './image.ts';

/** One of the four pictures of a mosaic: the row of the picture, the rectangle that it fills, and the map from pixels of the mosaic to its own. */
export interface Tile {
  readonly row: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  readonly map: PixelMap;
}

/** Shares of height and width between which the corner lies at which the four pictures meet. */
const [LEAST, MOST] = [0.3, 0.7];
/** Share of the samples that are shown in a mosaic. */
const PROBABILITY = 0.5;
/** Largest enlargement of a picture beyond the size at which it just fills its rectangle. */
const LARGER = 1.5;

/**
 * Draws the mosaic in which a row of a data set is shown (Bochkovskiy et al. 2020, "YOLOv4", section 3.4): four pictures around a corner, each
 * scaled so that it fills its rectangle. Undefined for a row that is shown alone: by the step's probability, or because the mosaic would have more
 * targets than a row of targets has room for. Samples with a label are joined with such samples alone, so that nothing in a picture is unmarked.
 * Undefined without a step `mosaic`.
 */
export function mosaicOf(
  dataset: Dataset,
  {
    augment,
    seed,
    key,
  }: { readonly augment: readonly AugmentStep[]; readonly seed: number; readonly key: readonly (string | number)[] },
  { height, width }: ImageShape,
): ((row: number) => readonly Tile[] | undefined) | undefined {
  const step = augment.find((step) => 'mosaic' in step);
  if (step === undefined) return undefined;
  const { ids, count, labelled, idPrefix } = dataset;
  const random = new RandomStream(seed, 'mosaic', idPrefix, ...key);
  const [others, alike] = [0, 1].map((flag) =>
    Int32Array.from({ length: count }, (_, row) => row).filter((row) => (labelled?.[row] ?? 1) === flag),
  ) as [Int32Array, Int32Array];
  const hasRoom = mosaicTargets(dataset).hasRoom(dataset);
  return (row) => {
    random.seek(ids[row]!);
    if (random.uniform() >= (step.mosaic.probability ?? PROBABILITY)) return undefined;
    const middle = (size: number): number => Math.round(size * (LEAST + (MOST - LEAST) * random.uniform()));
    const [y, x] = [middle(height), middle(width)];
    const mates = (labelled?.[row] ?? 1) === 1 ? alike : others;
    const rows = [row, ...[1, 2, 3].map(() => mates[random.below(mates.length)]!)];
    const first = random.below(4);
    const tiles = rows.map((of, i) => {
      const [isLower, isRight] = [(first + i) % 4 >= 2, (first + i) % 2 === 1];
      const [top, bottom] = isLower ? [y, height] : [0, y];
      const [left, right] = isRight ? [x, width] : [0, x];
      const scale = Math.max((bottom - top) / height, (right - left) / width) * (1 + (LARGER - 1) * random.uniform());
      // A picture touches the corner in the middle; what lies beyond the border is cut off.
      const begin = (size: number, at: number, isBehind: boolean): number => (isBehind ? at : at - scale * size);
      const along = (from: number): [number, number] => [1 / scale, (0.5 - from) / scale - 0.5];
      const map = straight(along(begin(width, x, isRight)), along(begin(height, y, isLower)));
      return { row: of, top, bottom, left, right, map };
    });
    return hasRoom(rows) ? tiles : undefined;
  };
}

/** Writes samples, those with a mosaic as the mosaic: bilinear between the centres of pixels. */
export function mosaicWriter(
  plain: SampleWriter,
  mosaic: (row: number) => readonly Tile[] | undefined,
  shape: ImageShape,
): SampleWriter {
  const picture = new Float32Array(shape.height * shape.width * shape.channels);
  return (row, out, offset) => {
    const tiles = mosaic(row);
    if (tiles === undefined) plain(row, out, offset);
    for (const tile of tiles ?? []) {
      plain(tile.row, picture, 0);
      drawTile(picture, out, offset, tile, shape);
    }
  };
}

function drawTile(
  picture: Float32Array,
  out: Float32Array,
  offset: number,
  { top, bottom, left, right, map: { xx, x0, yy, y0 } }: Tile,
  { height, width, channels }: ImageShape,
): void {
  for (let y = top; y < bottom; y++) {
    const [above, below, wy] = between(yy * y + y0, height);
    for (let x = left; x < right; x++) {
      const [before, after, wx] = between(xx * x + x0, width);
      const to = offset + (y * width + x) * channels;
      const [a, b] = [(above * width + before) * channels, (above * width + after) * channels];
      const [d, e] = [(below * width + before) * channels, (below * width + after) * channels];
      for (let c = 0; c < channels; c++) {
        const upper = (1 - wx) * picture[a + c]! + wx * picture[b + c]!;
        const lower = (1 - wx) * picture[d + c]! + wx * picture[e + c]!;
        out[to + c] = (1 - wy) * upper + wy * lower;
      }
    }
  }
}

/** The pixels before and after a position, and the weight of the second; a position beyond the outermost centres has their value. */
function between(position: number, size: number): [number, number, number] {
  const at = Math.min(Math.max(position, 0), size - 1);
  const first = Math.floor(at);
  return [first, Math.min(first + 1, size - 1), at - first];
}
