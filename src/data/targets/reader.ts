import type { DatasetConfig } from '../config.ts';
import type { TextForm } from '../text/encode.ts';
import type { RawSplit, Scaling, TargetValues } from '../dataset.ts';

/** Reader of the label columns of a task: turns them into numbers. */
export interface TargetReader {
  /** Keys of the data set that this task does not read, with what to do instead. */
  readonly unread: Readonly<Partial<Record<'classes' | 'classWeights' | 'separator', string>>>;
  /** Names of what a model answers, a number each. */
  names(train: RawSplit, config: TargetConfig): readonly string[];
  /** Names where no file has a label; undefined where the recipe has to say them. `listed`: the label columns that it names. */
  unlabelledNames(
    config: TargetConfig,
    listed: readonly string[] | undefined,
    train: RawSplit,
  ): readonly string[] | undefined;
  /** Word for an entry of `names` in messages. */
  readonly named: string;
  /** Targets of no samples. */
  none(): TargetValues;
  /** Targets of all samples of a split; `UserError` with the place of a label that is none. */
  values(split: RawSplit, names: readonly string[], config: TargetConfig): TargetValues;
  /** Numbers that stand for one sample. */
  width(names: readonly string[], text: TextForm | undefined): number;
  /** A class for each sample, so that a split takes its share of each. */
  readonly strata: (values: TargetValues, width: number) => Int32Array;
  /** Over train. */
  scaling?(values: TargetValues, width: number): Scaling;
  /** Oddities of a split that are no error, one sentence each. */
  oddities(split: string, values: TargetValues, names: readonly string[]): string[];
}

type TargetConfig = Pick<DatasetConfig, 'classes'> & {
  readonly separator?: string | undefined;
  readonly label?: unknown;
  readonly header?: boolean | undefined;
};
