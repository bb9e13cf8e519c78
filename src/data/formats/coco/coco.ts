import path from 'node:path';
import { z } from 'zod';
import { firstLine, shown, UserError } from '../../../base/errors.ts';
import { readBytes } from '../../../base/files.ts';
import { isNamedIn } from '../../../base/folders/inside.ts';
import { parsedJson } from '../../../base/json.ts';
import type { RawSplit } from '../../dataset.ts';
import type { PicturesGiven } from '../../pictures/images.ts';
import { allFiles } from '../../readers/class-folder.ts';
import { PICTURES } from '../../readers/image-folder.ts';
import { readAnnotated, unannotated } from '../../readers/boxes/annotated.ts';
import type { AnnotatedBox, AnnotatedPicture, BoxOptions } from '../../readers/boxes/annotated.ts';
import { checkedContent } from '../../readers/boxes/checked.ts';

/** A folder of pictures, and the file of their annotations; absent for samples without labels. */
export interface CocoSource {
  readonly images: string;
  readonly labels?: string | undefined;
}

const id = z.union([z.int(), z.string()], { error: 'expected a whole number or a text' });
const side = z.int().min(1).exactOptional();
const image = z.object({ id, file_name: z.string().min(1), height: side, width: side });
const category = z.object({ id: z.int(), name: z.string().min(1) });
const annotated = {
  image_id: id,
  category_id: z.int(),
  iscrowd: z.literal([0, 1, false, true]).exactOptional(),
};
const annotation = z.object({
  ...annotated,
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  area: z.number().min(0).exactOptional(),
});
const numbers = z.array(z.number());
const maskAnnotation = z.object({
  ...annotated,
  segmentation: z.union(
    [
      z
        .array(numbers.min(6).refine((one) => one.length % 2 === 0, { error: 'expected x and y of each corner' }))
        .min(1),
      z.object({ size: z.tuple([z.int(), z.int()]), counts: z.union([z.array(z.int()), z.string()]) }),
    ],
    { error: 'expected polygons of at least three corners, [[x, y, x, y, …]], or run lengths, { size, counts }' },
  ),
});
const lists = { images: z.array(image).min(1), categories: z.array(category).min(1) };
const schemas = {
  boxes: z.object({ ...lists, annotations: z.array(annotation) }),
  masks: z.object({ ...lists, annotations: z.array(maskAnnotation) }),
};
type Coco<K extends keyof typeof schemas> = z.infer<(typeof schemas)[K]>;

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
  const { pictures, classNames } = await annotationsIn(file, folder, 'boxes');
  const boxed = pictures.map(({ annotations, ...picture }): AnnotatedPicture => {
    return { ...picture, unit: 'pixels', boxes: annotations.map(boxOf) };
  });
  return readAnnotated(file, boxed, { ...options, classNames, notes: [] }, given);
}

function boxOf({ label, where, bbox: [xmin, ymin, width, height], area, iscrowd }: Annotation<'boxes'>): AnnotatedBox {
  const corners = { xmin, ymin, xmax: xmin + width, ymax: ymin + height };
  return { label, ...corners, area, isIgnored: Boolean(iscrowd), where };
}

/** An annotation with the index of its category, in the order of their ids, and its place for messages. */
type Annotation<K extends keyof typeof schemas> = Coco<K>['annotations'][number] & {
  readonly label: number;
  readonly where: string;
};

/** A picture of a file in COCO's format. */
interface CocoPicture<K extends keyof typeof schemas> extends Pick<AnnotatedPicture, 'file' | 'where' | 'size'> {
  readonly annotations: readonly Annotation<K>[];
}

/**
 * Pictures of a file with their annotations, in the order of the file, and the names of the categories in the order of their ids. `UserError` for a file
 * without these lists, for an id, a category or a picture that stands twice, for a picture outside of the folder, and for an annotation of an unknown
 * picture or category, with its place.
 */
export async function annotationsIn<K extends keyof typeof schemas>(
  file: string,
  folder: string,
  kind: K,
): Promise<{ readonly pictures: readonly CocoPicture<K>[]; readonly classNames: readonly string[] }> {
  const coco = await cocoIn(file, kind);
  const categories = coco.categories.toSorted((a, b) => a.id - b.id);
  const labels = new Map(categories.map((one, label) => [one.id, label]));
  const all = new Map<string | number, Annotation<K>[]>(coco.images.map((one) => [one.id, []]));
  coco.annotations.forEach((one, i) => {
    const where = `${file}: annotations[${i}]`;
    const own = all.get(one.image_id);
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
    own.push({ ...one, label, where });
  });
  for (const [i, { file_name: name }] of coco.images.entries())
    if (!(await isNamedIn(folder, path.join(folder, name))))
      throw new UserError(
        `${file}: images[${i}].file_name: ${shown(name)} leads out of ${folder}`,
        'Correct the name, or name the folder that holds all pictures as `images`.',
      );
  const pictures = coco.images.map(({ file_name: name, height, width, ...one }, i) => ({
    file: path.join(folder, name),
    where: `${file}: images[${i}]`,
    annotations: all.get(one.id)!,
    ...(height !== undefined && width !== undefined && { size: { height, width } }),
  }));
  return { pictures, classNames: categories.map(({ name }) => name) };
}

async function cocoIn<K extends keyof typeof schemas>(file: string, kind: K): Promise<Coco<K>> {
  const content = checkedContent(
    schemas[kind],
    await jsonIn(file),
    file,
    `Use annotations of ${kind} in COCO's format: an object with the lists \`images\`, \`categories\` and \`annotations\`.`,
  ) as Coco<K>;
  const { images, categories } = content;
  refuseEqual(
    images.map((one) => one.id),
    `${file}: images`,
    'id',
  );
  refuseEqual(
    images.map((one) => one.file_name),
    `${file}: images`,
    'file_name',
  );
  refuseEqual(
    categories.map((one) => one.id),
    `${file}: categories`,
    'id',
  );
  refuseEqual(
    categories.map((one) => one.name),
    `${file}: categories`,
    'name',
  );
  return content;
}

async function jsonIn(file: string): Promise<unknown> {
  const bytes = await readBytes(file);
  try {
    return parsedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
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
