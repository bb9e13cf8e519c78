/** Figures of one epoch of a training. */
export interface EpochRecord {
  readonly epoch: number;
  readonly loss: number;
  /** Score on the training batches, before the update of each. */
  readonly score: number;
  readonly validation: number;
}

/** An epoch in a saved file: earlier versions called the score accuracy. */
export type StoredEpoch = Omit<EpochRecord, 'score'> & ({ readonly score: number } | { readonly accuracy: number });

export function epochRecord(stored: StoredEpoch): EpochRecord {
  if ('score' in stored) return stored;
  const { epoch, loss, accuracy: score, validation } = stored;
  return { epoch, loss, score, validation };
}
