import { createHash } from 'node:crypto';
import { shown, UserError } from '../../base/errors.ts';
import { sharedFloats } from '../../data/dataset.ts';
import type { PointsForm, RawSplit } from '../../data/dataset.ts';
import { ImageSink } from '../../data/pictures/images.ts';
import type { PicturesGiven } from '../../data/pictures/images.ts';
import { placeIn } from '../../data/pictures/letterbox.ts';
import { OF_FILES, withPicture } from '../../data/pictures/picture.ts';
import { sizeOf } from '../../data/readers/boxes/annotated.ts';
import { noLabels } from '../../data/readers/labelled.ts';
import { ABSENT, pointsWidth, rowOfPoints, VISIBLE } from './layout.ts';
import type { TargetPoint } from './layout.ts';
import type { PointsOptions } from './form.ts';

/** An object in a picture and its points, as a file has them. */
export interface AnnotatedObject {
  readonly file: string;
  /** Place of its entry, for messages. */
  readonly where: string;
  /** Size of the picture as it is shown, by its annotations. */
  readonly size?: Size;
  /** Unit of points and corners: pixels of the picture, or shares of its sides. */
  readonly unit: 'pixels' | 'shares';
  readonly points: readonly TargetPoint[];
  readonly box?: PointedBox | undefined;
  /** Area of the object in pixels. Default: 0.53 of the box, as Ultralytics has it, or of the box around the labelled points. */
  readonly area?: number | undefined;
}

export interface PointedBox {
  readonly xmin: number;
  readonly ymin: number;
  readonly xmax: number;
  readonly ymax: number;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Part of a picture in whole pixels. */
interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

const AT_ONCE = 8;
/** Share of a box that an object covers (github.com/jin-s13/xtcocoapi, which Ultralytics follows). */
const COVERED = 0.53;
/** Pixels by which a point may lie outside of its picture. */
const ROUNDING = 1.001;

/**
 * Reads pictures with their points; `labels` are rows of `layout.ts`. With a margin each object is a sample, cut out by its box. `UserError` for a missing
 * picture, for one of another size than its annotations say, for two objects in a picture that is not cut, for an object without a box that is to be cut
 * out, and for a point outside of its picture.
 */
export async function readObjects(
  source: string,
  objects: readonly AnnotatedObject[],
  {
    names,
    form,
    options,
  }: { readonly names: readonly string[]; readonly form: PointsForm; readonly options: PointsOptions },
  given: PicturesGiven,
): Promise<RawSplit> {
  const { margin, withoutLabels = false, fit = 'letterbox', resize } = options;
  if (margin === undefined) refuseSeveral(objects);
  const sizes = await sizesOf(objects);
  const scaled = objects.map((object, i) => inPixels(object, sizes[i]!));
  const regions = scaled.map((object, i) =>
    margin === undefined ? whole(sizes[i]!) : cutFor(object, sizes[i]!, margin),
  );
  const sink = new ImageSink({ ...options, fit }, objects.length, given);
  if (margin === undefined) await sink.addFiles(objects.map(({ file }) => file));
  else await addCut(sink, objects, regions);
  const held = sink.held(source);
  const read = {
    source,
    sampleShape: sink.shape!,
    ...held,
    originals: sink.originals(),
    points: form,
    classNames: names,
    ...(fit === 'letterbox' && { fit }),
  };
  if (withoutLabels) return { ...read, labels: noLabels(objects.length) };
  const width = pointsWidth(names.length);
  const values = sharedFloats(objects.length * width);
  scaled.forEach((object, i) => {
    const region = regions[i]!;
    refuseOutside(object, sizes[i]!, names);
    const { left, top, across, down } = placeIn(region, resize, fit);
    const points = object.points.map(({ x, y, visibility }) => {
      const [u, v] = [(x - region.left) / region.width, (y - region.top) / region.height];
      const isInside = visibility !== ABSENT && u >= 0 && u <= 1 && v >= 0 && v <= 1;
      return isInside ? { x: left + across * u, y: top + down * v, visibility } : { x: 0, y: 0, visibility: ABSENT };
    });
    const size = { width: region.width / across, height: region.height / down, area: areaOf(object) };
    values.set(rowOfPoints(size, points, form.partners), i * width);
  });
  const files = objects.map(({ where }) => where);
  return { ...read, labels: { kind: 'numbers', values, width, files } };
}

async function sizesOf(objects: readonly AnnotatedObject[]): Promise<Size[]> {
  const known = new Map<string, Size>();
  const first = new Map(objects.map((object) => [object.file, object]));
  const all = [...first.values()];
  for (let from = 0; from < all.length; from += AT_ONCE) {
    const some = all.slice(from, from + AT_ONCE);
    // Of several pictures that are refused the first is named, whichever was read first.
    for (const [i, ended] of (await Promise.allSettled(some.map(sizeOf))).entries()) {
      if (ended.status === 'rejected') throw ended.reason;
      known.set(some[i]!.file, ended.value);
    }
  }
  return objects.map(({ file }) => known.get(file)!);
}

function refuseSeveral(objects: readonly AnnotatedObject[]): void {
  const seen = new Map<string, string>();
  for (const { file, where } of objects) {
    const other = seen.get(file);
    if (other !== undefined)
      throw new UserError(
        `${where}: the picture ${file} has another object at ${other}`,
        'Set `dataset.margin: 0.25`, by which each object is cut out by its box and becomes a sample; or leave one object in each picture.',
      );
    seen.set(file, where);
  }
}

/** The object with points and box in pixels. */
function inPixels(object: AnnotatedObject, { width, height }: Size): AnnotatedObject {
  if (object.unit === 'pixels') return object;
  const { box, points } = object;
  return {
    ...object,
    unit: 'pixels',
    points: points.map(({ x, y, visibility }) => ({ x: x * width, y: y * height, visibility })),
    box: box && { xmin: box.xmin * width, ymin: box.ymin * height, xmax: box.xmax * width, ymax: box.ymax * height },
  };
}

function refuseOutside({ where, points }: AnnotatedObject, { width, height }: Size, names: readonly string[]): void {
  const isOff = (value: number, side: number): boolean => value < -ROUNDING || value > side + ROUNDING;
  const bad = points.findIndex(
    ({ x, y, visibility }) => visibility !== ABSENT && (isOff(x, width) || isOff(y, height)),
  );
  if (bad === -1) return;
  const { x, y } = points[bad]!;
  throw new UserError(
    `${where}: the point ${names[bad]!} lies at ${shown(x)}, ${shown(y)}, outside of its picture of ${width}x${height} pixels (width x height)`,
    'Correct it, or mark it as absent (visibility 0); was it measured in a picture of another size?',
  );
}

function areaOf({ area, box, points }: AnnotatedObject): number {
  if (area !== undefined && area > 0) return area;
  const known = points.filter(({ visibility }) => visibility !== ABSENT);
  const [xs, ys] = [known.map(({ x }) => x), known.map(({ y }) => y)];
  const { xmin, xmax, ymin, ymax } = box ?? {
    xmin: Math.min(...xs),
    xmax: Math.max(...xs),
    ymin: Math.min(...ys),
    ymax: Math.max(...ys),
  };
  return known.length === 0 && box === undefined ? 1 : Math.max(1, COVERED * (xmax - xmin) * (ymax - ymin));
}

function whole({ width, height }: Size): Region {
  return { left: 0, top: 0, width, height };
}

/** Part of the picture that shows the box and the margin around it. */
function cutFor({ where, box }: AnnotatedObject, { width, height }: Size, margin: number): Region {
  if (box === undefined)
    throw new UserError(
      `${where}: the object has no box by which it could be cut out, and dataset.margin is ${margin}`,
      'Add the columns xmin, ymin, xmax and ymax; or leave out `dataset.margin`, and each sample is a whole picture.',
    );
  const { xmin, ymin, xmax, ymax } = box;
  const around = margin * Math.max(xmax - xmin, ymax - ymin);
  const [left, top] = [xmin - around, ymin - around].map((side) => Math.max(0, Math.floor(side))) as [number, number];
  const right = Math.min(width, Math.ceil(xmax + around));
  const bottom = Math.min(height, Math.ceil(ymax + around));
  if (right - left >= 1 && bottom - top >= 1 && xmax > xmin && ymax > ymin)
    return { left, top, width: right - left, height: bottom - top };
  throw new UserError(
    `${where}: expected a box in its picture of ${width}x${height} pixels (width x height), received xmin ${shown(xmin)}, ymin ${shown(ymin)}, xmax ${shown(xmax)}, ymax ${shown(ymax)}`,
    'Correct its corners, or remove the object.',
  );
}

/** Adds the parts of the pictures that show the objects. */
async function addCut(sink: ImageSink, objects: readonly AnnotatedObject[], regions: readonly Region[]): Promise<void> {
  const files = [...new Set(objects.map(({ file }) => file))];
  const cut = objects.map(({ file }, i) => [files.indexOf(file), regions[i]!]);
  const within = `cut ${createHash('sha256').update(JSON.stringify(cut)).digest('hex')}`;
  if (await sink.begin(files, within)) return;
  for (let from = 0; from < objects.length; from += AT_ONCE) {
    const some = objects.slice(from, from + AT_ONCE);
    await sink.add(
      await Promise.all(
        some.map(async ({ file, where }, i) => ({
          where,
          input: await withPicture(file, OF_FILES, (image) =>
            image
              .extract({ ...regions[from + i]! })
              .png({ compressionLevel: 1 })
              .toBuffer(),
          ),
        })),
      ),
    );
  }
  await sink.finish();
}

/** A picture without a file of annotations; with a margin it is taken as a cut-out. */
export function unannotated(file: string, count: number): AnnotatedObject {
  const points = Array.from({ length: count }, () => ({ x: 0, y: 0, visibility: ABSENT }));
  return { file, where: file, unit: 'pixels', points };
}

/** Visibility as a file has it. `UserError` for a number other than 0, 1 and 2. */
export function visibilityIn(value: number, where: string, name: string): number {
  if (value === ABSENT || value === 1 || value === VISIBLE) return value;
  throw new UserError(
    `${where}: the visibility of ${name} is ${shown(value)}, expected 0 (absent), 1 (hidden) or 2 (visible)`,
    'Correct it.',
  );
}
