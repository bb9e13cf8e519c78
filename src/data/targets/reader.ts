import type { DatasetConfig } from '../config.ts';
import type { Geometry } from '../augment/geometry.ts';
import type { Dataset, RawSplit, Scaling, TargetValues } from '../dataset.ts';

/** Reads the label columns of a task as numbers. */
export interface TargetReader {
  /** Keys of the data set that do not apply to this task, with the remedy. */
  readonly unread: Readonly<Partial<Record<'classes' | 'classWeights' | 'separator', string>>>;
  /** Names of a model's outputs, one for each number. */
  names(train: RawSplit, config: TargetConfig): readonly string[];
  /** Names if no file has labels; undefined if the recipe must list them. `listed`: label columns in the recipe. */
  unlabelledNames(
    config: TargetConfig,
    listed: readonly string[] | undefined,
    train: RawSplit,
  ): readonly string[] | undefined;
  /** Word for an entry of `names` in messages. */
  readonly named: string;
  /** Empty targets. */
  none(): TargetValues;
  /** Targets of all samples of a split; `UserError` with the place of an invalid label. */
  values(split: RawSplit, names: readonly string[], config: TargetConfig): TargetValues;
  /** Number of targets of a sample. */
  width(names: readonly string[], samples: Pick<Dataset, 'sampleShape' | 'text' | 'maxBoxes' | 'vector'>): number;
  /** Targets of a sample without a label. Default: zeros. */
  readonly unlabelled?: (width: number) => TargetValues;
  /** A class for each sample, by which splits are stratified. */
  readonly strata: (values: TargetValues, width: number) => Int32Array;
  /** Largest size of what targets of all splits measure, which the label loss divides by; absent where it divides by none. */
  readonly largest?: (splits: readonly TargetValues[]) => number;
  /** Mean and deviation over train. */
  scaling?(values: TargetValues, width: number): Scaling;
  /** Warnings about a split, one sentence each; `source`: its files. `UserError` for a split that cannot be scored. */
  oddities(split: string, values: TargetValues, names: readonly string[], width: number, source: string): string[];
  /** Moves targets that lie in the picture with their pictures; absent for other targets. */
  readonly moveTargets?: TargetMover;
  /** Targets of several pictures that are shown as one; absent where they cannot be joined. */
  readonly mosaic?: MosaicTargets;
}

/** Joins targets of pictures that are shown as one. */
export interface MosaicTargets {
  /** Tells of rows of a data set whether their targets have room in one row. */
  hasRoom(dataset: Pick<Dataset, 'targets' | 'maxBoxes'>): (rows: readonly number[]) => boolean;
  /** Joins the targets of pictures, moved to their places, into a row for each picture that shows `counts[i]` of them. */
  join(targets: TargetValues, counts: readonly number[]): TargetValues;
}

/**
 * Returns the targets of a batch, one sample after another, at the places to which augmentation moved what they mark; `geometries`: maps of each
 * sample. The result has memory of its own, which threads pass on without a copy.
 */
export type TargetMover<T extends TargetValues = TargetValues> = (
  targets: T,
  geometries: readonly Geometry[],
  size: { readonly height: number; readonly width: number },
) => T;

type TargetConfig = Pick<DatasetConfig, 'classes'> & {
  readonly separator?: string | undefined;
  readonly label?: unknown;
  readonly header?: boolean | undefined;
};
