import { missingClasses } from '../splits/checks.ts';
import { classIndexes, classNamesOf } from '../splits/label-names.ts';
import type { TargetReader } from './reader.ts';

/** One class for each sample. */
export const classes: TargetReader = {
  unread: {
    separator:
      'A sample has one class; set `task: regression` for a column that lists numbers, `task: multi-label` for one that lists labels.',
  },
  names: (train, { classes: declared }) => classNamesOf(train, declared),
  unlabelledNames: ({ classes: declared }, _, { classNames }) => declared ?? classNames,
  named: 'the classes',
  none: () => new Int32Array(0),
  values: classIndexes,
  width: () => 1,
  strata: (values) => values as Int32Array,
  oddities: (split, values, names) => [
    ...missingClasses(split, values as Int32Array, names),
    ...(split === 'train' ? unknownClasses(names) : []),
  ],
};

/** Warnings about class names that R and pandas write for an unknown value: samples without a label would become a class. */
function unknownClasses(names: readonly string[]): string[] {
  return names
    .filter((name) => /^(na|n\/a|<na>|nan|null|\?)$/i.test(name))
    .map((name) => `train: ${name} is read as a class; where it stands for an unknown one, leave the label empty`);
}
