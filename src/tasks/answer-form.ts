import type { AnswerFormKind } from '../recipe/task.ts';

/** Words for one answer and for several. */
export const ANSWER_WORDS: Readonly<Record<AnswerFormKind, readonly [one: string, several: string]>> = {
  classes: ['class', 'classes'],
  numbers: ['number', 'numbers'],
  labels: ['label', 'labels'],
  tags: ['tag', 'tags'],
  mask: ['class', 'classes'],
  boxes: ['class', 'classes'],
  vector: ['number', 'numbers'],
};

/** Key of the names in the metadata of a file; only of `labels` does a reader take the largest answer. The numbers of a vector have no names. */
export const NAMES_KEYS: Readonly<Record<AnswerFormKind, 'labels' | 'targets' | undefined>> = {
  classes: 'labels',
  numbers: 'targets',
  labels: 'targets',
  tags: 'targets',
  mask: 'targets',
  boxes: 'targets',
  vector: undefined,
};
