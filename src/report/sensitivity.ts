/** Loss of score that each layer causes when it alone is in fewer bits and the rest of the model stays float. */
export interface QuantizationSensitivity {
  /** The `id` of the float model. */
  readonly model: string;
  readonly precision: string;
  readonly samples: number;
  /** Score of the float model on these samples. */
  readonly accuracy: number;
  readonly rows: readonly {
    readonly layer: string;
    /** Power of the error of the logits, as a share of the power of the float logits. */
    readonly noise: number;
    /** Loss of accuracy, a fraction; negative where the error happens to help. */
    readonly drop: number;
  }[];
}

/** Accuracy on the validation split after channels of one layer alone were removed, without training. */
export interface PruningSensitivity {
  /** The model that was pruned. */
  readonly model: string;
  /** Score of the model without pruning. */
  readonly accuracy: number;
  readonly rows: readonly {
    /** Layers that make the same channels count as one. */
    readonly layers: readonly string[];
    readonly channels: number;
    readonly kept: number;
    readonly accuracy: number;
    /** Drop against the whole model, a fraction. */
    readonly drop: number;
  }[];
}
