/** Figures of one epoch of a training. */
export interface EpochRecord {
  readonly epoch: number;
  readonly loss: number;
  /** Score on the training batches, before the update of each; undefined for a task without a running score. */
  readonly score?: number | undefined;
  readonly validation: number;
}

/** An epoch in a saved file: earlier versions called the score accuracy. */
export type StoredEpoch = Omit<EpochRecord, 'score'> &
  ({ readonly score?: number | undefined } | { readonly accuracy: number });

export function epochRecord(stored: StoredEpoch): EpochRecord {
  if (!('accuracy' in stored)) return stored;
  const { epoch, loss, accuracy: score, validation } = stored;
  return { epoch, loss, score, validation };
}
