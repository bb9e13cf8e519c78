import { UserError } from '../base/errors.ts';
import { Slot } from '../base/registry.ts';
import { writeWholeFile } from '../base/folders/whole-folder.ts';
import { batches } from '../data/batches/batches.ts';
import { countOfElements, isImageShape } from '../data/dataset.ts';
import type { Dataset, TargetValues } from '../data/dataset.ts';
import type { AugmentStep } from '../data/config.ts';
import { boxesOf, boxesWidth } from '../data/targets/boxes.ts';
import { IGNORED } from '../data/targets/ignored.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import { taskRow } from '../recipe/task.ts';
import { drawBoxes } from '../report/box-outlines.ts';
import { escape } from '../report/html/escape.ts';
import { boxColour, maskColour } from '../report/mask-colours.ts';
import { drawPoints } from '../report/point-marks.ts';
import type { MarkedPoint } from '../report/point-marks.ts';

/** Marks over the picture of a sample: points, and lines between points. */
export type DrawnTargets = (
  dataset: Dataset,
  targets: TargetValues,
  row: number,
) => { readonly points: readonly MarkedPoint[]; readonly lines: readonly (readonly [number, number])[] };

const MARKS = new Slot<DrawnTargets>(answerForms, 'drawnTargets', 'marks over a picture');

/** Pictures of a row and of a column, pixels between them, and least length of a picture's longer side. */
const [ACROSS, DOWN, GAP, LEAST] = [4, 4, 4, 200];
/** Height of a row of names of points below the pictures, each on its colour. */
const NAME = 26;

/** Writes `previewPng` of a recipe's training data. */
export async function writePreview(
  file: string,
  train: Dataset,
  { dataset, seed }: { readonly dataset: { readonly augment: readonly AugmentStep[] }; readonly seed: number },
): Promise<void> {
  await writeWholeFile(file, await previewPng(train, dataset.augment, seed));
}

/**
 * PNG of the first samples of an epoch as a model sees them: in their size and after augmentation, with boxes, masks or points over them. `UserError` for
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
  const marksOf = await MARKS.loadIfThere(taskRow(train.task).form);
  const [batch] = batches(train, { batchSize: ACROSS * DOWN, seed, epoch: 0, augment });
  const { ids, x, targets } = batch!;
  const larger = Math.max(1, Math.round(LEAST / Math.max(height, width)));
  const [tall, wide] = [height * larger, width * larger];
  const rowsOfNames = marksOf === undefined ? 0 : Math.ceil(train.classNames.length / ACROSS);
  const grid = DOWN * (tall + GAP) - GAP;
  const sheet = { height: grid + rowsOfNames * NAME, width: ACROSS * (wide + GAP) - GAP };
  const pixels = new Uint8Array(sheet.height * sheet.width * 3).fill(255);
  const each = countOfElements(sampleShape);
  const names: NamedCorner[] = [];
  if (marksOf !== undefined)
    train.classNames.forEach((name, k) => {
      const [left, top] = [(k % ACROSS) * (wide + GAP), grid + GAP + Math.floor(k / ACROSS) * NAME];
      names.push({ name, colour: boxColour(k), left, top });
    });
  for (let i = 0; i < ids.length; i++) {
    const [top, left] = [Math.floor(i / ACROSS) * (tall + GAP), (i % ACROSS) * (wide + GAP)];
    const small = coloured(x.subarray(i * each, (i + 1) * each), train);
    if (taskRow(train.task).answersPer === 'pixel')
      tint(small, targets.subarray(i * height * width, (i + 1) * height * width));
    const shown = enlarged(small, [height, width], larger);
    if (train.maxBoxes !== undefined) {
      const boxes = boxesOf(targets, i * boxesWidth(train.maxBoxes), train.maxBoxes);
      drawBoxes(shown, boxes, { height: tall, width: wide, thick: 2 });
      for (const { label, xmin, ymin } of boxes)
        names.push({
          name: train.classNames[label]!,
          colour: boxColour(label),
          left: left + xmin * wide,
          top: top + ymin * tall,
        });
    }
    if (marksOf !== undefined) {
      const { points, lines } = marksOf(train, targets, i);
      drawPoints(shown, points, lines, { height: tall, width: wide });
    }
    for (let y = 0; y < tall; y++)
      pixels.set(shown.subarray(y * wide * 3, (y + 1) * wide * 3), 3 * ((top + y) * sheet.width + left));
  }
  const { default: sharp } = await import('sharp');
  return sharp(pixels, { raw: { ...sheet, channels: 3 } })
    .composite(await Promise.all(names.map((name) => nameTag(name, sheet))))
    .removeAlpha()
    .png()
    .toBuffer();
}

interface NamedCorner {
  readonly name: string;
  readonly colour: readonly [number, number, number];
  readonly left: number;
  readonly top: number;
}

/** Name of a box on the colour of its class, for the upper left corner of the box or as near to it as the sheet has room. */
async function nameTag(
  { name, colour, left, top }: NamedCorner,
  sheet: { readonly width: number; readonly height: number },
) {
  const { default: sharp } = await import('sharp');
  const text = `<span foreground="white">${escape(name.slice(0, 24))}</span>`;
  const [r, g, b] = colour;
  const { data, info } = await sharp({ text: { text, font: 'sans bold 9', rgba: true, dpi: 96 } })
    .extend({ top: 3, bottom: 3, left: 4, right: 4, background: { r, g, b, alpha: 1 } })
    .flatten({ background: { r, g, b } })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return {
    input: data,
    raw: { width, height, channels },
    left: Math.max(0, Math.min(Math.round(left) + 2, sheet.width - width)),
    top: Math.max(0, Math.min(Math.round(top) + 2, sheet.height - height)),
  };
}

/** Pixels [pixels, 3] of a normalized sample; values other than bytes are stretched from black to white. */
function coloured(x: Float32Array, { normalization, samples }: Dataset): Uint8Array {
  const { scale, mean, std } = normalization;
  const channels = mean.length;
  const values = x.map((value, i) => (value * std[i % channels]! + mean[i % channels]!) / scale);
  const [low, high] =
    samples instanceof Uint8Array
      ? [0, 255]
      : [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const level = (value: number): number => (high > low ? Math.round((255 * (value - low)) / (high - low)) : 0);
  return Uint8Array.from({ length: (x.length / channels) * 3 }, (_, i) => {
    const value = values[channels === 3 ? i : Math.floor(i / 3)]!;
    return Math.min(255, Math.max(0, level(value)));
  });
}

/** Mixes the colours of a mask's classes into its picture, half and half. */
function tint(pixels: Uint8Array, mask: TargetValues): void {
  mask.forEach((label: number, i: number) => {
    if (label !== IGNORED)
      maskColour(label).forEach((level, c) => (pixels[3 * i + c] = (pixels[3 * i + c]! + level) >> 1));
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
