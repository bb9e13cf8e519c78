/** A student and its twin on the same samples (McNemar's test). */
export interface Pair {
  readonly split: 'test' | 'validation';
  readonly samples: number;
  /** Samples that only one of the two has right. */
  readonly onlyDistilled: number;
  readonly onlyScratch: number;
  /** Difference of the accuracies, a fraction, with its 95 % confidence interval over samples. */
  readonly difference: number;
  readonly interval: readonly [number, number];
  /** Mid-p value of the two being equally good. */
  readonly p: number;
  readonly sentence: string;
}

/** Accuracies of a model that was trained with several seeds; `accuracy` and all other figures are those of the first. */
export interface Repeats {
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** 95 % confidence interval of the mean. */
  readonly interval: readonly [number, number];
}
