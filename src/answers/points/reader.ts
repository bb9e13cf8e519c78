import { UserError } from '../../base/errors.ts';
import type { DatasetConfig } from '../../data/config.ts';
import type { RawSplit } from '../../data/dataset.ts';
import { allFiles } from '../../data/readers/class-folder.ts';
import { PICTURES } from '../../data/readers/image-folder.ts';
import type { SplitReader } from '../../data/readers/registry.ts';
import { pointsOfCoco } from './coco.ts';
import { pointsOfCsv } from './csv.ts';
import { pointsForm } from './form.ts';
import type { PointsOptions } from './form.ts';
import { readObjects, unannotated } from './objects.ts';
import { pointsOfYolo } from './yolo.ts';

type Source = string | { readonly images: string; readonly labels?: string | undefined };

/** Pictures with points: a CSV file, pictures and a file of COCO's key points, a pose data.yaml of YOLO; without labels also a folder of pictures. */
async function readPoints(source: Source, options: PointsOptions): Promise<RawSplit> {
  const { classes, withoutLabels = false } = options;
  const name = typeof source === 'string' ? source : (source.labels ?? source.images);
  const isFolder = typeof source === 'object' ? source.labels === undefined : !/\.(csv|ya?ml)$/i.test(source);
  if (isFolder) {
    if (!withoutLabels)
      throw new UserError(
        `${name}: expected a CSV file of points, a pose data.yaml, or pictures with COCO's key points, received a folder without points`,
        'Name `{ images: FOLDER, labels: FILE.json }`; pictures without points stand under `unlabelled`.',
      );
    const { files, notes } = await allFiles(name, PICTURES);
    const names = classes ?? [];
    const form = pointsForm(
      { file: name, names },
      { ...options, skeleton: undefined, flipPairs: [], sigmas: undefined, augment: [] },
    );
    const objects = files.map((file) => unannotated(file, names.length));
    const {
      points: _,
      classNames: __,
      ...read
    } = await readObjects(name, objects, { names, form, options: { ...options, margin: undefined } }, options);
    return { ...read, ...(classes && { classNames: classes, points: form }), notes: [...(read.notes ?? []), ...notes] };
  }
  const { named, objects, notes = [] } = await objectsOf(source, options);
  const { names } = named;
  if (classes !== undefined && classes.join('\n') !== names.join('\n'))
    throw new UserError(
      `${name}: its points are ${names.join(', ')}, and dataset.classes names ${classes.join(', ')}`,
      'Leave out `classes`: the file names its points.',
    );
  const read = await readObjects(name, objects, { names, form: pointsForm(named, options), options }, options);
  return { ...read, notes: [...(read.notes ?? []), ...notes] };
}

type Found = Awaited<ReturnType<typeof pointsOfCsv>> & { readonly notes?: readonly string[] };

function objectsOf(source: Source, options: PointsOptions): Promise<Found> {
  if (typeof source === 'object') return pointsOfCoco(source.labels!, source.images);
  return /\.csv$/i.test(source) ? pointsOfCsv(source) : pointsOfYolo(source, options);
}

export const reader: SplitReader<Extract<DatasetConfig, { type: 'points' }>> = {
  shares: 'decoded',
  read: (source, options) => readPoints(source, options),
};
