/** Sentence for messages: the supported kinds of labels. */
export const SUPPORTED_LABELS =
  'Supported are one class for each sample, a word or a class index; numbers to predict, with `task: regression`; and ' +
  'several labels for a sample, with `task: multi-label`. In train a sample may have none, where a teacher answers for it.';

export const FEATURES =
  'Supported are columns of numbers, of true and false, and of dates (2024-01-31). Columns of words are named as `categorical`, or left out (`ignore` for CSV, ' +
  '`features` for others).';
