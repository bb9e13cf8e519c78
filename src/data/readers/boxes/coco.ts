import path from 'node:path';
import { z } from 'zod';
import { firstLine, shown, UserError } from '../../../base/errors.ts';
import { readBytes } from '../../../base/files.ts';
import type { RawSplit } from '../../dataset.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { allFiles } from '../class-folder.ts';
import { PICTURES } from '../image-folder.ts';
import { readAnnotated, unannotated } from './annotated.ts';
import type { AnnotatedBox, AnnotatedPicture, BoxOptions } from './annotated.ts';
import { checkedContent } from './checked.ts';

/** A folder of pictures, and the file of their annotations; absent for samples without labels. */
interface CocoSource {
  readonly images: string;
  readonly labels?: string | undefined;
}

const id = z.union([z.int(), z.string()], { error: 'expected a whole number or a text' });
const side = z.int().min(1).exactOptional();
const image = z.object({ id, file_name: z.string().min(1), height: side, width: side });
const category = z.object({ id: z.int(), name: z.string().min(1) });
const annotation = z.object({
  image_id: id,
  category_id: z.int(),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  area: z.number().min(0).exactOptional(),
  iscrowd: z.literal([0, 1, false, true]).exactOptional(),
});
const cocoSchema = z.object({
  images: z.array(image).min(1),
  categories: z.array(category).min(1),
  annotations: z.array(annotation),
});
type Coco = z.infer<typeof cocoSchema>;

/**
 * Reads pictures with boxes in COCO's format: a folder of pictures, and a JSON file with the lists `images`, `categories` and `annotations`. Classes are
 * the categories in the order of their ids. Pictures without annotations have no boxes. `UserError` with the place in the JSON file.
 */
export async function readCoco(
  { images: folder, labels: file }: CocoSource,
  options: BoxOptions,
  given: PicturesGiven = {},
): Promise<RawSplit> {
  if (file === undefined) {
    const { files, notes } = await allFiles(folder, PICTURES);
    const read = { ...options, withoutLabels: true, classNames: undefined, notes };
    return readAnnotated(folder, files.map(unannotated), read, given);
  }
  const coco = await cocoIn(file);
  const boxes = boxesByImage(coco, file);
  const pictures = coco.images.map(({ file_name: name, height, width, ...one }, i): AnnotatedPicture => ({
    ...{ file: path.join(folder, name), where: `${file}: images[${i}]`, unit: 'pixels' },
    ...(height !== undefined && width !== undefined && { size: { height, width } }),
    boxes: boxes.get(one.id)!,
  }));
  const classNames = byId(coco).map(({ name }) => name);
  return readAnnotated(file, pictures, { ...options, classNames, notes: [] }, given);
}

function byId({ categories }: Coco): Coco['categories'] {
  return categories.toSorted((a, b) => a.id - b.id);
}

function boxesByImage(coco: Coco, file: string): Map<string | number, AnnotatedBox[]> {
  const labels = new Map(byId(coco).map((one, label) => [one.id, label]));
  const boxes = new Map<string | number, AnnotatedBox[]>(coco.images.map((one) => [one.id, []]));
  coco.annotations.forEach((one, i) => {
    const where = `${file}: annotations[${i}]`;
    const [xmin, ymin, width, height] = one.bbox;
    const own = boxes.get(one.image_id);
    if (own === undefined)
      throw new UserError(
        `${where}.image_id: no picture of \`images\` has the id ${shown(one.image_id)}`,
        'Add the picture, or remove the annotation.',
      );
    const label = labels.get(one.category_id);
    if (label === undefined)
      throw new UserError(
        `${where}.category_id: no category of \`categories\` has the id ${shown(one.category_id)}`,
        'Add the category, or correct the annotation.',
      );
    const corners = { xmin, ymin, xmax: xmin + width, ymax: ymin + height };
    own.push({ label, ...corners, area: one.area, isIgnored: Boolean(one.iscrowd), where });
  });
  return boxes;
}

/** The lists of a file. A file without these lists, and an id, a category or a picture that stands twice, is a `UserError` with its place. */
async function cocoIn(file: string): Promise<Coco> {
  const { images, categories, annotations } = checkedContent(
    cocoSchema,
    await jsonIn(file),
    file,
    "Use annotations of boxes in COCO's format: an object with the lists `images`, `categories` and `annotations`.",
  );
  refuseEqual(images.map((one) => one.id), `${file}: images`, 'id'); // prettier-ignore
  refuseEqual(images.map((one) => one.file_name), `${file}: images`, 'file_name'); // prettier-ignore
  refuseEqual(categories.map((one) => one.id), `${file}: categories`, 'id'); // prettier-ignore
  refuseEqual(categories.map((one) => one.name), `${file}: categories`, 'name'); // prettier-ignore
  return { images, categories, annotations };
}

async function jsonIn(file: string): Promise<unknown> {
  const bytes = await readBytes(file);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UserError(
      `${file}: not usable JSON: ${firstLine(error)} (received ${bytes.length} bytes)`,
      'Get the file again, or export the annotations anew.',
      { cause: error },
    );
  }
}

function refuseEqual(values: readonly (string | number)[], list: string, key: string): void {
  const first = new Map<string | number, number>();
  values.forEach((value, i) => {
    const other = first.get(value);
    if (other !== undefined)
      throw new UserError(
        `${list}[${i}].${key}: ${shown(value)} is that of [${other}] too`,
        'List every entry once, each with an id and a name of its own.',
      );
    first.set(value, i);
  });
}
