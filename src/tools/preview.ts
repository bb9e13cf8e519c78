import { UserError } from '../base/errors.ts';
import { writeWholeFile } from '../base/folders/whole-folder.ts';
import { batches } from '../data/batches/batches.ts';
import { countOfElements, isImageShape } from '../data/dataset.ts';
import type { Dataset, TargetValues } from '../data/dataset.ts';
import type { AugmentStep } from '../data/config.ts';
import { boxesOf, boxesWidth } from '../data/targets/boxes.ts';
import { IGNORED } from '../data/targets/move-mask.ts';
import { taskRow } from '../recipe/task.ts';
import { drawBoxes } from '../report/box-outlines.ts';
import { escape } from '../report/html/escape.ts';
import { boxColour, maskColour } from '../report/mask-colours.ts';

/** Pictures of a row and of a column, pixels between them, and least length of a picture's longer side. */
const [ACROSS, DOWN, GAP, LEAST] = [4, 4, 4, 200];

/** Writes `previewPng` of a recipe's training data. */
export async function writePreview(
  file: string,
  train: Dataset,
  { dataset, seed }: { readonly dataset: { readonly augment: readonly AugmentStep[] }; readonly seed: number },
): Promise<void> {
  await writeWholeFile(file, await previewPng(train, dataset.augment, seed));
}

/**
 * PNG of the first samples of an epoch as a model sees them: in their size and after augmentation, with boxes or masks over them. `UserError` for
 * samples that are no pictures.
 */
async function previewPng(train: Dataset, augment: readonly AugmentStep[], seed: number): Promise<Uint8Array> {
  const { sampleShape, inputs } = train;
  const [height, width, channels] = sampleShape as readonly [number, number, number];
  if (!isImageShape(sampleShape) || inputs !== undefined || (channels !== 1 && channels !== 3))
    throw new UserError(
      `--preview: expected pictures, received samples of shape [${sampleShape.join(', ')}]`,
      'Leave it out: only pictures are shown.',
    );
  const [batch] = batches(train, { batchSize: ACROSS * DOWN, seed, epoch: 0, augment });
  const { ids, x, targets } = batch!;
  const larger = Math.max(1, Math.round(LEAST / Math.max(height, width)));
  const [tall, wide] = [height * larger, width * larger];
  const sheet = { height: DOWN * (tall + GAP) - GAP, width: ACROSS * (wide + GAP) - GAP };
  const pixels = new Uint8Array(sheet.height * sheet.width * 3).fill(255);
  const each = countOfElements(sampleShape);
  const names: string[] = [];
  for (let i = 0; i < ids.length; i++) {
    const [top, left] = [Math.floor(i / ACROSS) * (tall + GAP), (i % ACROSS) * (wide + GAP)];
    const small = coloured(x.subarray(i * each, (i + 1) * each), train);
    if (taskRow(train.task).answersPer === 'pixel')
      tint(small, targets.subarray(i * height * width, (i + 1) * height * width));
    const shown = enlarged(small, [height, width], larger);
    if (train.maxBoxes !== undefined) {
      const boxes = boxesOf(targets, i * boxesWidth(train.maxBoxes), train.maxBoxes);
      drawBoxes(shown, boxes, { height: tall, width: wide, thick: 2 });
      names.push(...boxes.map(({ label, xmin, ymin }) => nameTag(train.classNames[label]!, boxColour(label), left + xmin * wide, top + ymin * tall))); // prettier-ignore
    }
    for (let y = 0; y < tall; y++)
      pixels.set(shown.subarray(y * wide * 3, (y + 1) * wide * 3), 3 * ((top + y) * sheet.width + left));
  }
  const { default: sharp } = await import('sharp');
  const { width: across, height: down } = sheet;
  const tags = `<svg xmlns="http://www.w3.org/2000/svg" width="${across}" height="${down}">${names.join('')}</svg>`;
  return sharp(pixels, { raw: { ...sheet, channels: 3 } })
    .composite(names.length === 0 ? [] : [{ input: Buffer.from(tags), left: 0, top: 0 }])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** Name of a box within its upper left corner, on the colour of its class. */
function nameTag(name: string, colour: readonly number[], left: number, top: number): string {
  const [x, y, width] = [Math.round(left) + 2, Math.round(top) + 2, 6 + 7 * name.length];
  return (
    `<rect x="${x}" y="${y}" width="${width}" height="15" fill="rgb(${colour.join(',')})"/>` +
    `<text x="${x + 3}" y="${y + 12}" textLength="${width - 6}" font-family="sans-serif" font-size="12" fill="white">${escape(name)}</text>`
  );
}

/** Pixels [pixels, 3] of a normalized sample; values other than bytes are stretched from black to white. */
function coloured(x: Float32Array, { normalization, samples }: Dataset): Uint8Array {
  const { scale, mean, std } = normalization;
  const channels = mean.length;
  const values = x.map((value, i) => (value * std[i % channels]! + mean[i % channels]!) / scale);
  const [low, high] = samples instanceof Uint8Array ? [0, 255] : [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]; // prettier-ignore
  const level = (value: number): number => (high > low ? Math.round((255 * (value - low)) / (high - low)) : 0);
  return Uint8Array.from({ length: (x.length / channels) * 3 }, (_, i) => {
    const value = values[channels === 3 ? i : Math.floor(i / 3)]!;
    return Math.min(255, Math.max(0, level(value)));
  });
}

/** Mixes the colours of a mask's classes into its picture, half and half. */
function tint(pixels: Uint8Array, mask: TargetValues): void {
  mask.forEach((label: number, i: number) => {
    if (label !== IGNORED) maskColour(label).forEach((level, c) => (pixels[3 * i + c] = (pixels[3 * i + c]! + level) >> 1)); // prettier-ignore
  });
}

/** A picture [height, width, 3] with each pixel repeated. */
function enlarged(pixels: Uint8Array, [height, width]: readonly [number, number], times: number): Uint8Array {
  const out = new Uint8Array(pixels.length * times * times);
  for (let y = 0, at = 0; y < height * times; y++)
    for (let x = 0; x < width * times; x++, at += 3) {
      const from = 3 * (Math.floor(y / times) * width + Math.floor(x / times));
      out.set(pixels.subarray(from, from + 3), at);
    }
  return out;
}
