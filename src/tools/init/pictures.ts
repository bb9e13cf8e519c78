import type { SeenForm } from '../../recipe/init.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import { PICTURES } from '../../data/readers/image-folder.ts';
import { pictureHeader } from '../../data/pictures/picture.ts';

/** Number of pictures to inspect. */
const LOOKED_AT = 100;
/** Sizes that pictures are scaled to: the maximum longer side in pixels, the unit of sides, and the longest side that is left as it is. */
const SIZES = {
  usual: { longest: 64, step: 8, left: 128 },
  masks: { longest: 128, step: 32, left: 160 },
  boxes: { longest: 320, step: 32, left: 320 },
};

/** A common size and number of channels for a folder of pictures that differ, or are large. */
export async function pictureForm(folder: string): Promise<SeenForm> {
  return formOf((await allFiles(folder, PICTURES)).files, 'usual');
}

/** The same for pictures with masks or points: sides that suit their models. */
export async function maskForm(files: readonly string[]): Promise<SeenForm> {
  return formOf(files, 'masks');
}

/** The same for pictures with boxes: a square whose sides suit detectors. */
export async function boxForm(files: readonly string[]): Promise<SeenForm> {
  return formOf(files, 'boxes');
}

/** The same for encoded pictures in a table. */
export async function encodedForm(pictures: readonly Uint8Array[]): Promise<SeenForm> {
  return formOf(pictures, 'usual');
}

async function formOf(files: readonly (string | Uint8Array)[], kind: keyof typeof SIZES): Promise<SeenForm> {
  const { longest, step: unit, left } = SIZES[kind];
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
  const sides = [middle(heights), middle(widths)];
  const scale = Math.min(1, longest / Math.max(...sides));
  const rounded = (side: number): number => Math.max(unit, unit * Math.round((side * scale) / unit));
  const size = kind === 'boxes' ? sides.map(() => Math.max(...sides.map(rounded))) : sides.map(rounded);
  const isUneven = kind !== 'usual' && sides.some((side) => side % unit !== 0);
  return {
    ...((!isOneSize || most > left || isUneven) && {
      resize: { size: [size[0]!, size[1]!], why: `sides of ${least} to ${most} pixels` },
    }),
    ...(grey > 0 && grey < seen.length && { channels: 3 }),
  };
}
