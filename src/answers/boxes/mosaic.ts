import { BOX_WIDTH, boxesOf, boxesWidth, picturePixels, writeBoxes } from '../../data/targets/boxes.ts';
import type { MosaicTargets } from '../../data/targets/reader.ts';

/** Boxes of pictures that a mosaic shows; its row has the pixels of the first picture. */
export const boxesOfMosaic: MosaicTargets = {
  hasRoom({ targets, maxBoxes: most = 1 }) {
    const width = boxesWidth(most);
    const counts = Int32Array.from(
      { length: targets.length / width },
      (_, row) => boxesOf(targets, row * width, most).length,
    );
    return (rows) => rows.reduce((sum, row) => sum + counts[row]!, 0) <= most;
  },
  join(targets, counts) {
    const width = targets.length / counts.reduce((sum, count) => sum + count, 0);
    const out = new Float32Array(counts.length * width);
    let from = 0;
    counts.forEach((count, i) => {
      const starts = Array.from({ length: count }, (_, tile) => (from + tile) * width);
      const boxes = starts.flatMap((start) => boxesOf(targets, start, (width - 1) / BOX_WIDTH));
      writeBoxes(out.subarray(i * width, (i + 1) * width), picturePixels(targets, starts[0]!), boxes);
      from += count;
    });
    return out;
  },
};
