import { UserError } from '../../base/errors.ts';
import type { DatasetConfig, TaskName } from '../config.ts';
import { targetsLike } from '../dataset.ts';
import type { Dataset, Scaling, TargetValues } from '../dataset.ts';
import { boxes } from './box-labels.ts';
import { classes } from './classes.ts';
import { labels } from './labels.ts';
import { numbers } from './numbers.ts';
import type { MosaicTargets, TargetMover, TargetReader } from './reader.ts';
import { masks } from './masks.ts';
import { tags } from './tags.ts';
import { similarities } from './similarities.ts';
import { vectors } from './vectors.ts';
import { DEFAULT_TASK } from '../../recipe/task.ts';

/** Parts of a data set that determine the format of its targets. */
type TargetData = Pick<Dataset, 'task' | 'classNames' | 'sampleShape' | 'text' | 'maxBoxes' | 'vector'>;

const readers: Readonly<Record<TaskName, TargetReader>> = {
  classification: classes,
  regression: numbers,
  'multi-label': labels,
  tagging: tags,
  segmentation: masks,
  detection: boxes,
  embedding: vectors,
  'sentence-similarity': similarities,
};

/** Reader of the targets of a data set, by its task. Throws a `UserError` for a key that does not apply to the task. */
export function targetReader(config: DatasetConfig): TargetReader {
  const task = config.task ?? DEFAULT_TASK;
  const reader = readers[task];
  for (const [key, hint] of Object.entries(reader.unread)) {
    const value = (config as unknown as Record<string, unknown>)[key];
    if (value === undefined) continue;
    throw new UserError(`dataset.${key}: not read by the task ${task}, received ${JSON.stringify(value)}`, hint);
  }
  return reader;
}

/** Mean and deviation of targets, for tasks with units; undefined for others. */
export function scalingOf(data: TargetData, targets: TargetValues): Scaling | undefined {
  return readers[data.task].scaling?.(targets, targetWidth(data));
}

/** Targets of some samples, one sample after another. */
export function targetsOf(
  { targets, ...data }: TargetData & { readonly targets: TargetValues },
  rows: ArrayLike<number>,
): TargetValues {
  const width = targetWidth(data);
  const out = targetsLike(targets, rows.length * width);
  for (let i = 0; i < rows.length; i++)
    for (let c = 0; c < width; c++) out[i * width + c] = targets[rows[i]! * width + c]!;
  return out;
}

/** Moves targets with their pictures; undefined for targets that do not lie in a picture. */
export function targetMover({ task }: Pick<Dataset, 'task'>): TargetMover | undefined {
  return readers[task].moveTargets;
}

/** Joins the targets of pictures that a mosaic shows. The task must have such targets: recipes with a mosaic for another task are refused. */
export function mosaicTargets({ task }: Pick<Dataset, 'task'>): MosaicTargets {
  const { mosaic } = readers[task];
  if (mosaic === undefined) throw new Error(`no mosaic of ${task}`);
  return mosaic;
}

/** Gives samples without a label the mean target: their loss has weight 0, and must be finite. */
export function fillWithMeans(targets: TargetValues, flags: Uint8Array, means: readonly number[]): void {
  const width = means.length;
  for (let i = 0; i < targets.length; i++) if (flags[Math.floor(i / width)] === 0) targets[i] = means[i % width]!;
}

/** Number of targets of a sample. */
function targetWidth({ task, classNames, ...samples }: TargetData): number {
  return readers[task].width(classNames, samples);
}
