import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { RawSplit } from '../../src/data/dataset.ts';
import { boxesOf, boxesWidth, picturePixels } from '../../src/data/targets/boxes.ts';
import { temporaryFolder, userError } from '../data/support.ts';

/** A folder for data sets of boxes, and what tests do in it. */
export function boxFolder() {
  const folder = temporaryFolder();
  const at = (name: string): string => path.join(folder.path, name);
  const put = async (name: string, content: Uint8Array | string): Promise<string> => {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
    return at(name);
  };
  return {
    ...{ at, put },
    /** A picture of one colour; JPEG files may have an EXIF orientation. */
    picture: async (name: string, { height = 40, width = 80, orientation = 1 } = {}): Promise<string> => {
      const image = sharp({ create: { width, height, channels: 3, background: { r: 9, g: 200, b: 7 } } });
      const encoded = name.endsWith('.png') ? image.png() : image.withMetadata({ orientation }).jpeg();
      return put(name, await encoded.toBuffer());
    },
    /** Message and hint of a `UserError`, with paths from the folder. */
    refused: async (work: Promise<unknown>) => {
      const { message, hint } = await userError(work);
      return { message: message.replaceAll(`${folder.path}${path.sep}`, ''), hint };
    },
    notes: ({ notes = [] }: RawSplit) => notes.map((note) => note.replaceAll(`${folder.path}${path.sep}`, '')),
  };
}

/** Targets of a picture: pixels that the input picture stands for; and label, corners as shares, area and 1 if ignored, of each box. */
export function targetsOf({ labels, maxBoxes }: RawSplit, row: number): { pixels: number; boxes: number[][] } {
  if (labels.kind !== 'numbers' || maxBoxes === undefined) throw new Error('no boxes');
  expect(labels.width).toBe(boxesWidth(maxBoxes));
  const start = row * labels.width;
  const boxes = boxesOf(labels.values, start, maxBoxes).map(({ label, xmin, ymin, xmax, ymax, area, isIgnored }) =>
    [label, xmin, ymin, xmax, ymax, area, Number(isIgnored)].map((value) => Number(value.toFixed(5))),
  );
  return { pixels: Math.round(picturePixels(labels.values, start)), boxes };
}
