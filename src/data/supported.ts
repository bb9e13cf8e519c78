/** Text for messages: the kinds of labels that a data set can have. */
export const LABELS =
  'Supported are one class for each sample, a word or a class index; numbers to predict, with `task: regression`; and ' +
  'several labels for a sample, with `task: multi-label`. Not supported are samples without a label.';

export const FEATURES =
  'Supported are columns of numbers and of true and false. Columns of words are not: leave them out (`ignore` for CSV, ' +
  '`features` for others), or write a column of 0 and 1 for each word.';
