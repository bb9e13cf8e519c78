/** Remedy for a node that needs the number of samples. */
export const FIXED_BATCH =
  'Give the batch a size too, with --shape NAME=1,…, or export the model with a fixed batch size.';
