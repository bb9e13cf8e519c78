import { shown, UserError } from '../../../base/errors.ts';
import { exists } from '../../../base/files.ts';
import type { ImageOptions } from '../../config.ts';
import { sharedFloats } from '../../dataset.ts';
import type { RawSplit } from '../../dataset.ts';
import { ImageSink } from '../../pictures/images.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { placeIn } from '../../pictures/letterbox.ts';
import type { PicturePlace } from '../../pictures/letterbox.ts';
import { pictureHeader } from '../../pictures/picture.ts';
import { areaOf, boxesWidth, writeBoxes } from '../../targets/boxes.ts';
import type { Corners, TargetBox } from '../../targets/boxes.ts';
import { noLabels } from '../labelled.ts';
import type { LabelsRead } from '../labelled.ts';

/** A picture and its boxes, as a file of annotations has them. */
export interface AnnotatedPicture {
  readonly file: string;
  /** Place of its entry, for messages. */
  readonly where: string;
  /** Size of the picture as it is shown, by its annotations. */
  readonly size?: Size;
  /** Unit of the corners: pixels of the picture, or shares of its sides. */
  readonly unit: 'pixels' | 'shares';
  readonly boxes: readonly AnnotatedBox[];
}

export interface AnnotatedBox extends Corners {
  /** Class index. */
  readonly label: number;
  /** In pixels. Default: that of the box. */
  readonly area?: number | undefined;
  readonly isIgnored: boolean;
  /** Place for messages, such as `train.json: annotations[7]`. */
  readonly where: string;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

export interface BoxOptions extends ImageOptions, LabelsRead {
  /** Largest number of boxes of a picture. Default 50. */
  readonly maxBoxes?: number | undefined;
}

/** Options of readers, and the names of the classes. */
interface Reading extends BoxOptions {
  readonly classNames: readonly string[] | undefined;
  /** Warnings of the reader, one sentence each. */
  readonly notes: readonly string[];
}

/** A picture without a file of annotations. */
export function unannotated(file: string): AnnotatedPicture {
  return { file, where: file, unit: 'pixels', boxes: [] };
}

const [MOST, AT_ONCE] = [50, 8];
/** Share of a box that must lie in its picture. */
const INSIDE = 0.25;
/** Width or height in pixels below which a box is empty. */
const THIN = 0.01;

/**
 * Reads pictures with their boxes; `labels` are rows of `targets/boxes.ts`. Corners beyond the border of a picture are moved onto it. `UserError` for a
 * missing picture, for a picture of another size than its annotations say, and for a reversed box or one of which less than a quarter lies in the picture,
 * with its place.
 */
export async function readAnnotated(
  source: string,
  pictures: readonly AnnotatedPicture[],
  { classNames, notes, withoutLabels = false, maxBoxes: most = MOST, ...given }: Reading,
  by: PicturesGiven,
): Promise<RawSplit> {
  const options = { ...given, fit: given.fit ?? 'letterbox' } as const;
  refuseTwice(pictures);
  refuseMany(source, pictures, most);
  const sizes: Size[] = [];
  for (let from = 0; from < pictures.length; from += AT_ONCE)
    // Of several pictures that are refused the first is named, whichever was read first.
    for (const ended of await Promise.allSettled(pictures.slice(from, from + AT_ONCE).map(sizeOf))) {
      if (ended.status === 'rejected') throw ended.reason;
      sizes.push(ended.value);
    }
  const boxes = pictures.map((picture, i) => picture.boxes.map((box) => withinPicture(box, picture, sizes[i]!)));
  const sink = new ImageSink(options, pictures.length, by);
  await sink.addFiles(pictures.map(({ file }) => file));
  const held = sink.held(source);
  const read = { source, sampleShape: sink.shape!, ...held, originals: sink.originals(), maxBoxes: most };
  const fit = options.fit === 'letterbox' && { fit: options.fit };
  const named = { ...read, ...fit, ...(classNames && { classNames }) };
  if (withoutLabels) return { ...named, labels: noLabels(pictures.length), notes: [...held.notes, ...notes] };
  const width = boxesWidth(most);
  by.room?.demand(
    4 * pictures.length * width,
    `${source}: boxes of ${pictures.length} pictures`,
    'Set a smaller `dataset.maxBoxes`, or free memory.',
  );
  const values = sharedFloats(pictures.length * width);
  sizes.forEach((size, i) => {
    const place = placeIn(size, options.resize, options.fit);
    const some = boxes[i]!.filter((box) => !box.isEmpty).map((box) => placed(box, place));
    writeBoxes(
      values.subarray(i * width, (i + 1) * width),
      (size.height * size.width) / (place.down * place.across),
      some,
    );
  });
  const said = [
    ...noteOn(
      boxes.flat().filter(({ isCut }) => isCut),
      'reach beyond the border of their picture by more than a pixel and are cut there',
    ),
    ...noteOn(
      boxes.flat().filter(({ isEmpty }) => isEmpty),
      'have no width or no height and are left out',
    ),
  ].map((note) => `${source}: ${note}`);
  const files = pictures.map(({ where }) => where);
  return { ...named, labels: { kind: 'numbers', values, width, files }, notes: [...held.notes, ...notes, ...said] };
}

function noteOn(boxes: readonly PlacedBox[], what: string): string[] {
  return boxes.length === 0 ? [] : [`${boxes.length} boxes ${what}, such as ${boxes[0]!.where}`];
}

/** `UserError` for a picture that stands in two entries. */
function refuseTwice(pictures: readonly AnnotatedPicture[]): void {
  const seen = new Map<string, string>();
  for (const { file, where } of pictures) {
    const other = seen.get(file);
    if (other !== undefined)
      throw new UserError(`${where}: the picture ${file} is that of ${other} too`, 'List every picture once.');
    seen.set(file, where);
  }
}

function refuseMany(source: string, pictures: readonly AnnotatedPicture[], most: number): void {
  const first = pictures.find(({ boxes }) => boxes.length > most);
  if (first === undefined) return;
  const highest = pictures.reduce((max, { boxes }) => Math.max(max, boxes.length), 0);
  throw new UserError(
    `${first.where}: the picture has ${first.boxes.length} boxes, expected at most ${most} (dataset.maxBoxes)`,
    `Set \`dataset.maxBoxes: ${highest}\`, the largest number of boxes of a picture in ${source}.`,
  );
}

/** Size of a picture as it is shown. `UserError` if its annotations have another one. */
export async function sizeOf({ file, where, size }: Pick<AnnotatedPicture, 'file' | 'where' | 'size'>): Promise<Size> {
  const { autoOrient: own, ...stored } = await header(file, where);
  if (size === undefined || (size.height === own.height && size.width === own.width)) return own;
  const isTurned = size.height === stored.height && size.width === stored.width;
  throw new UserError(
    `${where}: the picture is ${size.height}x${size.width} (height x width), and ${file} is ${own.height}x${own.width}${isTurned ? ', turned by its EXIF orientation' : ''}`,
    isTurned
      ? 'Boxes lie in the picture as it is shown: turn the picture back, e.g. with `exiftool -Orientation= `, or annotate it as it is shown.'
      : 'Use the picture that was annotated, or correct its size.',
  );
}

async function header(file: string, where: string): ReturnType<typeof pictureHeader> {
  try {
    return await pictureHeader(file);
  } catch (error) {
    if (await exists(file))
      throw new UserError(
        `${file}: cannot decode the image: ${String(error instanceof Error ? error.message : error).split('\n')[0]!}`,
        'Get the file again or remove it, together with its annotations; PNG, JPEG and WebP are read.',
        { cause: error },
      );
    throw new UserError(`${where}: no picture ${file}`, 'Get the picture, or remove its annotations.');
  }
}

/** A box within its picture, in shares of its sides. */
interface PlacedBox extends Omit<TargetBox, keyof Corners> {
  readonly corners: Corners;
  readonly where: string;
  /** True if more than a pixel was cut off. */
  readonly isCut: boolean;
  readonly isEmpty: boolean;
}

function withinPicture(box: AnnotatedBox, { unit }: AnnotatedPicture, { height, width }: Size): PlacedBox {
  const { label, where, isIgnored } = box;
  const [x, y] = unit === 'pixels' ? [width, height] : [1, 1];
  const given = { xmin: box.xmin / x, ymin: box.ymin / y, xmax: box.xmax / x, ymax: box.ymax / y };
  const sides = `xmin ${shown(box.xmin)}, ymin ${shown(box.ymin)}, xmax ${shown(box.xmax)}, ymax ${shown(box.ymax)}`;
  if (given.xmax < given.xmin || given.ymax < given.ymin)
    throw new UserError(`${where}: the box is reversed: ${sides}`, 'Correct its corners.');
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  const corners = {
    xmin: within(given.xmin),
    ymin: within(given.ymin),
    xmax: within(given.xmax),
    ymax: within(given.ymax),
  };
  if (areaOf(corners) < INSIDE * areaOf(given))
    throw new UserError(
      `${where}: less than a quarter of the box lies in its picture of ${height}x${width} pixels (height x width): ${sides}${unit === 'shares' ? ' as shares of its sides' : ''}`,
      'Correct its corners, or its picture; were they measured in a picture of another size?',
    );
  const off = (side: keyof Corners, pixels: number): boolean => Math.abs(given[side] - corners[side]) * pixels > 1.001;
  const isCut = off('xmin', width) || off('xmax', width) || off('ymin', height) || off('ymax', height);
  const isEmpty = (corners.xmax - corners.xmin) * width < THIN || (corners.ymax - corners.ymin) * height < THIN;
  return { label, where, isIgnored, corners, isCut, isEmpty, area: box.area ?? areaOf(corners) * height * width };
}

function placed({ corners, ...box }: PlacedBox, { left, top, across, down }: PicturePlace): TargetBox {
  return {
    ...box,
    xmin: left + across * corners.xmin,
    xmax: left + across * corners.xmax,
    ymin: top + down * corners.ymin,
    ymax: top + down * corners.ymax,
  };
}
