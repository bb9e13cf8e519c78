/** Figures of one epoch of a training. */
export interface EpochRecord {
  readonly epoch: number;
  readonly loss: number;
  /** Score of the task on the training batches as they came. */
  readonly score: number;
  readonly validation: number;
}

/** An epoch as it may stand on disk: earlier versions called the score accuracy. */
export type StoredEpoch = Omit<EpochRecord, 'score'> & ({ readonly score: number } | { readonly accuracy: number });

export function epochRecord(stored: StoredEpoch): EpochRecord {
  if ('score' in stored) return stored;
  const { epoch, loss, accuracy: score, validation } = stored;
  return { epoch, loss, score, validation };
}
