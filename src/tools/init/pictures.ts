import type { SeenForm } from '../../recipe/init.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import { PICTURES } from '../../data/readers/image-folder.ts';
import { pictureHeader } from '../../data/pictures/picture.ts';

/** Number of pictures to inspect. */
const LOOKED_AT = 100;
/** Maximum longer side that pictures are scaled to, in pixels, and the unit of sides. */
const [LONGEST, STEP] = [64, 8];

/** A common size and number of channels for a folder of pictures that differ, or are large. */
export async function pictureForm(folder: string): Promise<SeenForm> {
  const { files } = await allFiles(folder, PICTURES);
  const step = Math.max(1, Math.floor(files.length / LOOKED_AT));
  const seen = [];
  for (const file of files.filter((_, i) => i % step === 0).slice(0, LOOKED_AT)) {
    // The reader reports a damaged file.
    const found = await pictureHeader(file).catch(() => undefined);
    if (found === undefined) continue;
    const { autoOrient, channels } = found;
    seen.push({ ...autoOrient, isGrey: (channels ?? 3) <= 2 });
  }
  if (seen.length === 0) return {};
  const heights = seen.map(({ height }) => height).sort((a, b) => a - b);
  const widths = seen.map(({ width }) => width).sort((a, b) => a - b);
  const [least, most] = [Math.min(heights[0]!, widths[0]!), Math.max(heights.at(-1)!, widths.at(-1)!)];
  const isOneSize = heights[0] === heights.at(-1) && widths[0] === widths.at(-1);
  const grey = seen.filter(({ isGrey }) => isGrey).length;
  const middle = (sides: readonly number[]): number => sides[Math.floor(sides.length / 2)]!;
  const scale = Math.min(1, LONGEST / Math.max(middle(heights), middle(widths)));
  const rounded = (side: number): number => Math.max(STEP, STEP * Math.round((side * scale) / STEP));
  return {
    ...((!isOneSize || most > 2 * LONGEST) && {
      resize: { size: [rounded(middle(heights)), rounded(middle(widths))], why: `sides of ${least} to ${most} pixels` },
    }),
    ...(grey > 0 && grey < seen.length && { channels: 3 }),
  };
}
