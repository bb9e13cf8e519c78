import { UserError } from '../../base/errors.ts';
import { Slot } from '../../base/registry.ts';
import type { DatasetConfig, TaskName } from '../config.ts';
import { targetsLike } from '../dataset.ts';
import type { Dataset, Scaling, TargetValues } from '../dataset.ts';
import type { MosaicTargets, TargetMover, TargetReader } from './reader.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { DEFAULT_TASK, taskRow } from '../../recipe/task.ts';

/** Parts of a data set that determine the format of its targets. */
type TargetData = Pick<Dataset, 'task' | 'classNames' | 'sampleShape' | 'text' | 'maxBoxes' | 'vector'>;

/** Readers of the targets of a form of answers, by the name of the task. */
export type TargetReaders = Readonly<Record<string, TargetReader>>;

const LABELS = new Slot<TargetReaders>(answerForms, 'labels', 'reader of labels');

/** Loads the code that reads and moves the targets of a task, which the functions below then find. */
export async function loadTargets({ task }: Pick<DatasetConfig, 'task'>): Promise<void> {
  await LABELS.load(taskRow(task).form);
}

function readerOf(task: TaskName): TargetReader {
  return LABELS.of(taskRow(task).form)[task]!;
}

/** Reader of the targets of a data set, by its task. Throws a `UserError` for a key that does not apply to the task. */
export function targetReader(config: DatasetConfig): TargetReader {
  const task = config.task ?? DEFAULT_TASK;
  const reader = readerOf(task);
  for (const [key, hint] of Object.entries(reader.unread)) {
    const value = (config as unknown as Record<string, unknown>)[key];
    if (value === undefined) continue;
    throw new UserError(`dataset.${key}: not read by the task ${task}, received ${JSON.stringify(value)}`, hint);
  }
  return reader;
}

/** Mean and deviation of targets, for tasks with units; undefined for others. */
export function scalingOf(data: TargetData, targets: TargetValues): Scaling | undefined {
  return readerOf(data.task).scaling?.(targets, targetWidth(data));
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
  return readerOf(task).moveTargets;
}

/** Joins the targets of pictures that a mosaic shows. The task must have such targets: recipes with a mosaic for another task are refused. */
export function mosaicTargets({ task }: Pick<Dataset, 'task'>): MosaicTargets {
  const { mosaic } = readerOf(task);
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
  return readerOf(task).width(classNames, samples);
}
