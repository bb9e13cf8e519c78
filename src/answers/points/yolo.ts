import { parse } from 'yaml';
import { z } from 'zod';
import { shown, UserError } from '../../base/errors.ts';
import { exists, readUtf8 } from '../../base/files.ts';
import { labelFile, yoloPictures } from '../../data/formats/yolo/yolo.ts';
import { checkedContent } from '../../data/readers/boxes/checked.ts';
import type { NamedPoints, PointsOptions } from './form.ts';
import { ABSENT, VISIBLE } from './layout.ts';
import { unannotated, visibilityIn } from './objects.ts';
import type { AnnotatedObject } from './objects.ts';

const list = z.array(z.coerce.string());
const schema = z.object({
  kpt_shape: z.tuple([z.int().min(1), z.literal([2, 3])], {
    error: 'expected the number of points, then 2 or 3 numbers for each',
  }),
  flip_idx: z.array(z.int()).nullish(),
  kpt_names: z.union([list, z.record(z.string(), list)]).nullish(),
});

/** Points in YOLO's pose format: lines `class cx cy width height`, then x, y and, by `kpt_shape`, visibility of each point, in shares of the picture. */
export async function pointsOfYolo(
  file: string,
  { part, classes, withoutLabels = false }: Pick<PointsOptions, 'part' | 'classes' | 'withoutLabels'>,
): Promise<{ readonly named: NamedPoints; readonly objects: AnnotatedObject[]; readonly notes: readonly string[] }> {
  const { files, notes } = await yoloPictures(file, part);
  const hint = 'Use a data.yaml for pose: with the keys train, val, names and kpt_shape, such as [17, 3].';
  const data = checkedContent(schema, parse(await readUtf8(file)), file, hint);
  const [count, each] = data.kpt_shape;
  const stated = data.kpt_names && (Array.isArray(data.kpt_names) ? data.kpt_names : Object.values(data.kpt_names)[0]);
  const names = stated ?? classes;
  if (names === undefined)
    throw new UserError(
      `${file}: nothing names the ${count} points`,
      'Name them in their order as `classes` in the recipe, or as kpt_names in this file.',
    );
  if (names.length !== count)
    throw new UserError(
      `${file}: kpt_shape: there are ${count} points, and ${names.length} names: ${names.join(', ')}`,
      'Name every point once, in the order of the files.',
    );
  const named = { file, names, partners: data.flip_idx ?? undefined };
  if (withoutLabels) return { named, objects: files.map((one) => unannotated(one, count)), notes };
  let without = 0;
  const objects: AnnotatedObject[] = [];
  for (const picture of files) {
    const labels = labelFile(picture);
    const lines = (await exists(labels)) ? (await readUtf8(labels)).split(/\r?\n/) : [];
    const found = lines.flatMap((line, i) =>
      line.trim() === '' ? [] : [objectIn(line.trim(), `${labels}:${i + 1}`, { names, each })],
    );
    if (found.length === 0) without++;
    objects.push(...found.map((object) => ({ ...object, file: picture })));
  }
  if (objects.length === 0) throw new UserError(`${file}: none of its pictures has points in a file of labels`, hint);
  const left = without > 0 ? [`${file}: ${without} pictures without an object are left out`] : [];
  return { named, objects, notes: [...notes, ...left] };
}

function objectIn(
  line: string,
  where: string,
  { names, each }: { readonly names: readonly string[]; readonly each: number },
): Omit<AnnotatedObject, 'file'> {
  const words = line.split(/\s+/);
  const values = words.map(Number);
  const wanted = 5 + each * names.length;
  if (words.length !== wanted)
    throw new UserError(
      `${where}: expected ${wanted} numbers, class cx cy width height and ${each} for each of ${names.length} points, received ${words.length}`,
      words.length === 5
        ? 'A box without points is no object of this task: label its points, or remove the line.'
        : 'Correct the line, or kpt_shape.',
    );
  const bad = words.find((_, i) => !Number.isFinite(values[i]));
  if (bad !== undefined) throw new UserError(`${where}: ${shown(bad)} is no number`, 'Correct it.');
  const [, cx, cy, width, height] = values as [number, number, number, number, number];
  const points = names.map((name, k) => {
    const [x, y, v] = values.slice(5 + each * k, 5 + each * (k + 1)) as [number, number, number?];
    // Without a visibility an absent point lies at 0, 0.
    const usual = x === 0 && y === 0 ? ABSENT : VISIBLE;
    return { x, y, visibility: v === undefined ? usual : visibilityIn(v, where, name) };
  });
  const box = { xmin: cx - width / 2, ymin: cy - height / 2, xmax: cx + width / 2, ymax: cy + height / 2 };
  return { where, unit: 'shares', points, box };
}
