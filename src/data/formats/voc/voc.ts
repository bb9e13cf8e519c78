import path from 'node:path';
import { shown, UserError } from '../../../base/errors.ts';
import { readUtf8 } from '../../../base/files.ts';
import type { RawSplit } from '../../dataset.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { checkedNames, unknownLabel } from '../../splits/label-names.ts';
import { allFiles } from '../../readers/class-folder.ts';
import { PICTURES } from '../../readers/image-folder.ts';
import { byName, listed, folderNames, refuseWhole, vocLists } from '../../readers/mask-files.ts';
import { readAnnotated } from '../../readers/boxes/annotated.ts';
import type { AnnotatedPicture, BoxOptions } from '../../readers/boxes/annotated.ts';
import { parseXml } from './xml.ts';
import type { XmlElement } from './xml.ts';
import type { DatasetConfig } from '../../config.ts';
import type { SampleStart } from '../../readers/guess.ts';
import type { SplitReader } from '../../readers/registry.ts';

/** Folders of pictures, the second of Label Studio's export, and of annotations, and that of the lists of pictures. */
const IMAGES = ['JPEGImages', 'images'];
const [ANNOTATIONS, LISTS] = ['Annotations', 'Main'];
const XML = { extensions: new Set(['.xml']), what: 'annotations', kinds: 'XML' };
/** Number of annotations that are read at a time. */
const AT_ONCE = 64;

interface VocOptions extends BoxOptions {
  readonly classes?: readonly string[] | undefined;
}

/** An object of a picture, in pixels. */
interface VocObject {
  readonly name: string;
  readonly where: string;
  readonly isIgnored: boolean;
  readonly corners: Pick<AnnotatedPicture['boxes'][number], 'xmin' | 'ymin' | 'xmax' | 'ymax'>;
}

/** True for names of a folder with the layout of Pascal VOC's boxes. */
export function isVocLayout(names: readonly string[]): boolean {
  return vocImages(names) !== undefined && names.includes(ANNOTATIONS);
}

/** Folder of pictures among these names of a folder. */
export function vocImages(names: readonly string[]): string | undefined {
  return IMAGES.find((name) => names.includes(name));
}

/**
 * Reads pictures with boxes in Pascal VOC's format: `JPEGImages` and an XML file of the same name in `Annotations` for each; or a list, such as
 * `VOC2012/ImageSets/Main/train.txt`. Classes are those of the recipe, or the names of the objects in order. Difficult objects are ignored. `UserError`
 * with file and line.
 */
export async function readVoc(source: string, options: VocOptions, given: PicturesGiven = {}): Promise<RawSplit> {
  const { classes, withoutLabels = false } = options;
  const { pictures, files, notes } = await vocFiles(source, withoutLabels);
  const read: { size?: AnnotatedPicture['size']; objects: readonly VocObject[] }[] = [];
  for (let from = 0; from < files.length; from += AT_ONCE)
    read.push(...(await Promise.all(files.slice(from, from + AT_ONCE).map(annotationOf))));
  const found = new Set(read.flatMap(({ objects }) => objects.map(({ name }) => name)));
  const names = classes === undefined ? [...found].sort() : checkedNames(classes);
  const labels = new Map(names.map((name, label) => [name, label]));
  const labelOf = ({ name, where }: VocObject): number => {
    const label = labels.get(name);
    if (label === undefined) throw unknownLabel(name, where, names);
    return label;
  };
  const annotated = pictures.map((file, i): AnnotatedPicture => {
    const { size, objects } = read[i] ?? { objects: [] };
    const boxes = objects.map(({ corners, ...object }) => ({
      ...object,
      ...corners,
      label: labelOf({ corners, ...object }),
    }));
    return { file, where: files[i] ?? file, unit: 'pixels', boxes, ...(size && { size }) };
  });
  const classNames = withoutLabels ? classes : names;
  return readAnnotated(source, annotated, { ...options, classNames, notes }, given);
}

/** Pictures of a folder or of a list, and the annotation of each; none if labels are not read. */
async function vocFiles(source: string, withoutLabels: boolean) {
  const isList = path.extname(source) === '.txt';
  const root = isList ? path.resolve(source, '..', '..', '..') : source;
  const inside = await folderNames(root);
  const images = vocImages(inside);
  if (withoutLabels && images === undefined) {
    const all = await allFiles(source, PICTURES);
    return { pictures: all.files, files: [], notes: all.notes };
  }
  if (images === undefined || (!withoutLabels && !isVocLayout(inside))) {
    const some = inside.slice(0, 5).join(', ') + (inside.length > 5 ? ', …' : '');
    throw new UserError(
      `${root}: expected the folders ${IMAGES[0]} and ${ANNOTATIONS}, received ${some || 'nothing'}`,
      'Name a list of Pascal VOC, such as `train: VOC2012/ImageSets/Main/train.txt`; or a folder with the pictures and the annotations of one split.',
    );
  }
  if (!isList) refuseWhole(root, await vocLists(root, inside, LISTS));
  const folder = { images: path.join(root, images), annotations: path.join(root, ANNOTATIONS) };
  const all = await allFiles(folder.images, PICTURES);
  const named = byName(all.files, folder.images);
  const pictures = isList ? await listed(source, named) : all.files;
  if (withoutLabels) return { pictures, files: [], notes: all.notes };
  const annotations = byName((await allFiles(folder.annotations, XML)).files, folder.annotations);
  const files = pictures.map((picture) => {
    const { name } = path.parse(picture);
    const file = annotations.get(name);
    if (file !== undefined) return file;
    throw new UserError(
      `${picture}: its annotation is missing, expected ${path.join(folder.annotations, `${name}.xml`)}`,
      'Add it, without objects if the picture shows none; or remove the picture, or move it to the folder under `unlabelled`.',
    );
  });
  const used = new Set(files);
  const unused = [...annotations.values()].filter((file) => !used.has(file));
  const left = `${folder.annotations}: ${unused.length} of its annotations have no picture and are not read, such as ${unused[0]!}`;
  return { pictures, files, notes: [...all.notes, ...(isList || unused.length === 0 ? [] : [left])] };
}

async function annotationOf(file: string): Promise<{ size?: AnnotatedPicture['size']; objects: readonly VocObject[] }> {
  const root = parseXml(await readUtf8(file), file);
  if (root.name !== 'annotation')
    throw new UserError(`${file}:${root.line}: expected an element <annotation>, received <${root.name}>`, FORMAT);
  const size = childrenOf(root, 'size')[0];
  const [height, width] = size === undefined ? [0, 0] : [numberIn(size, 'height', file), numberIn(size, 'width', file)];
  const objects = childrenOf(root, 'object').map((object) => objectOf(object, file));
  // Some programs write a size of 0.
  return { objects, ...(height > 0 && width > 0 && { size: { height, width } }) };
}

const FORMAT = "Use annotations of boxes in Pascal VOC's format.";

function objectOf(object: XmlElement, file: string): VocObject {
  const name = only(object, 'name', file).text;
  const box = only(object, 'bndbox', file);
  if (name === '')
    throw new UserError(`${file}:${object.line}: the object has no name`, 'Write its class as its name.');
  const difficult = childrenOf(object, 'difficult')[0]?.text ?? '0';
  if (difficult !== '0' && difficult !== '1')
    throw new UserError(`${file}:${object.line}: <difficult> is ${shown(difficult)}, expected 0 or 1`, FORMAT);
  const [xmin, ymin, xmax, ymax] = ['xmin', 'ymin', 'xmax', 'ymax'].map((side) => numberIn(box, side, file));
  return {
    name,
    where: `${file}:${box.line}`,
    isIgnored: difficult === '1',
    // Corners are the first and the last pixel, counted from 1.
    corners: { xmin: xmin! - 1, ymin: ymin! - 1, xmax: xmax!, ymax: ymax! },
  };
}

function childrenOf({ children }: XmlElement, name: string): readonly XmlElement[] {
  return children.filter((child) => child.name === name);
}

function only(element: XmlElement, name: string, file: string): XmlElement {
  const found = childrenOf(element, name);
  if (found.length === 1) return found[0]!;
  throw new UserError(
    `${file}:${element.line}: <${element.name}> has ${found.length} elements <${name}>, expected one`,
    FORMAT,
  );
}

function numberIn(element: XmlElement, name: string, file: string): number {
  const { text, line } = only(element, name, file);
  const value = Number(text);
  if (text !== '' && Number.isFinite(value)) return value;
  throw new UserError(`${file}:${line}: <${name}> is ${shown(text)}, expected a number`, FORMAT);
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'voc' }>> = {
  shares: 'decoded',
  read: (source, options) => readVoc(source, options, options),
};

export const start: SampleStart = async (place) => ({ withBoxes: (await vocFiles(place, true)).pictures });
