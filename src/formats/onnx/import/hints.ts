/** Remedy for a node that needs the number of samples. */
export const FIXED_BATCH =
  'Give the batch a size too, with --shape NAME=1,…, or export the model with a fixed batch size.';

/** Remedy for a model whose shapes do not fit the sizes of its inputs: some take only batches that are a multiple of a number. */
export const OTHER_SIZES = 'Give the inputs other sizes, also of the batch, with --shape NAME=BATCH,…';
