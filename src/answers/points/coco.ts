import { z } from 'zod';
import { shown, UserError } from '../../base/errors.ts';
import { readUtf8 } from '../../base/files.ts';
import { parsedJson } from '../../base/json.ts';
import { annotationsIn } from '../../data/formats/coco/coco.ts';
import { checkedContent } from '../../data/readers/boxes/checked.ts';
import type { NamedPoints } from './form.ts';
import { ABSENT } from './layout.ts';
import { visibilityIn } from './objects.ts';
import type { AnnotatedObject } from './objects.ts';

const schema = z.object({
  categories: z.array(
    z.object({
      name: z.string(),
      keypoints: z.array(z.string().min(1)).min(1).exactOptional(),
      skeleton: z.array(z.tuple([z.int(), z.int()])).exactOptional(),
    }),
  ),
  annotations: z.array(z.object({ keypoints: z.array(z.number()).exactOptional() })),
});

/**
 * Points in COCO's format: `keypoints` of its category name them, those of an annotation are x, y and visibility of each. Annotations of crowds, and those
 * without a labelled point, are passed over; `notes` say so. `UserError` with the place in the JSON file.
 */
export async function pointsOfCoco(
  file: string,
  folder: string,
): Promise<{ readonly named: NamedPoints; readonly objects: AnnotatedObject[]; readonly notes: readonly string[] }> {
  const { pictures } = await annotationsIn(file, folder, 'boxes');
  const hint = 'Use annotations of key points in COCO’s format, such as person_keypoints_train2017.json.';
  const coco = checkedContent(schema, parsedJson(await readUtf8(file)), file, hint);
  const named = namedIn(coco.categories, file);
  const { names } = named;
  let [empty, crowds] = [0, 0];
  const objects = pictures.flatMap(({ annotations, ...picture }) =>
    annotations.flatMap(({ where, bbox: [xmin, ymin, width, height], area, iscrowd }): AnnotatedObject[] => {
      const { keypoints = [] } = coco.annotations[Number(/(\d+)\]$/.exec(where)![1])]!;
      if (iscrowd) {
        crowds++;
        return [];
      }
      const points = pointsIn(keypoints, `${where}.keypoints`, names);
      if (points.every(({ visibility }) => visibility === ABSENT)) {
        empty++;
        return [];
      }
      const box = { xmin, ymin, xmax: xmin + width, ymax: ymin + height };
      return [{ ...picture, where, unit: 'pixels', points, box, area }];
    }),
  );
  if (objects.length === 0) throw new UserError(`${file}: no annotation has a labelled point`, hint);
  const notes = [
    ...(empty > 0 ? [`${file}: ${empty} objects without a labelled point are left out`] : []),
    ...(crowds > 0 ? [`${file}: ${crowds} crowds are left out`] : []),
  ];
  return { named, objects, notes };
}

function namedIn(categories: z.infer<typeof schema>['categories'], file: string): NamedPoints {
  const found = categories.flatMap(({ keypoints, ...rest }, i) =>
    keypoints === undefined ? [] : [{ ...rest, keypoints, where: `${file}: categories[${i}]` }],
  );
  const [first, ...others] = found;
  if (first === undefined)
    throw new UserError(
      `${file}: categories: none has keypoints, which name the points`,
      'Use a file of key points; files of boxes are for task: detection.',
    );
  const { keypoints: names, skeleton, where } = first;
  const other = others.find(({ keypoints }) => keypoints.join('\n') !== names.join('\n'));
  if (other !== undefined)
    throw new UserError(
      `${other.where}.keypoints: its points are ${other.keypoints.join(', ')}, and those of ${where} are ${names.join(', ')}`,
      'Write a file for each kind of object, and train a model for each.',
    );
  const bad = skeleton?.findIndex((pair) => pair.some((k) => !(k >= 1 && k <= names.length))) ?? -1;
  if (bad !== -1)
    throw new UserError(
      `${where}.skeleton[${bad}]: expected two numbers of points from 1 to ${names.length}, received ${skeleton![bad]!.join(', ')}`,
      'Correct it; the first point is 1.',
    );
  return { file, names, skeleton: skeleton?.map(([a, b]) => [a - 1, b - 1] as const) };
}

function pointsIn(numbers: readonly number[], where: string, names: readonly string[]) {
  if (numbers.length !== 0 && numbers.length !== 3 * names.length)
    throw new UserError(
      `${where}: expected x, y and visibility of ${names.length} points, ${3 * names.length} numbers, received ${numbers.length}`,
      'Write 0, 0, 0 for an absent point.',
    );
  return names.map((name, k) => {
    const [x = 0, y = 0, v = ABSENT] = numbers.slice(3 * k, 3 * k + 3);
    if (!Number.isFinite(x) || !Number.isFinite(y))
      throw new UserError(`${where}: ${name} lies at ${shown(x)}, ${shown(y)}`, 'Write numbers.');
    return { x, y, visibility: visibilityIn(v, where, name) };
  });
}
