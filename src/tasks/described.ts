/** Errors of predicted numbers, in the label's units. */
export interface ErrorReport {
  readonly rows: readonly {
    readonly name: string;
    /** Mean absolute error. */
    readonly mae: number;
    /** Root of the mean squared error. */
    readonly rmse: number;
    /** 1 - squared error / squared error of the mean; null where all labels are the same. */
    readonly r2: number | null;
    /** Mean of prediction - label. */
    readonly bias: number;
  }[];
  /** Some samples, [label, prediction] of each number, for a chart of residuals. */
  readonly points: readonly (readonly (readonly [number, number])[])[];
}

/** Scores of several labels, label by label. */
export interface LabelReport {
  /** Mean over the labels that some sample has; null where there is none. */
  readonly meanAveragePrecision: number | null;
  /** Share of all labels of all samples that are rightly given or not given. */
  readonly rightDecisions: number;
  readonly rows: readonly {
    readonly name: string;
    /** Samples that have the label. */
    readonly samples: number;
    /** Null where no sample has the label. */
    readonly averagePrecision: number | null;
    /** F1 at a probability of 0.5; null where no sample has the label and none is given. */
    readonly f1: number | null;
    /** The probability from which on the label is given for the best F1 on the validation split; absent where no sample there has it. */
    readonly threshold?: number;
    readonly f1AtThreshold?: number | null;
  }[];
}
