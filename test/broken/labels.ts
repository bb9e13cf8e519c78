import { CSV, TABLE, rest } from './files.ts';
import type { Case } from './files.ts';

const WORDS = 'city,age,label\nOslo,1,yes\nRome,2,no\nOslo,3,yes\nRome,4,no\nOslo,5,yes\nRome,6,no\n';

/** Samples without a label, and columns of words. */
export const labels: Readonly<Record<string, Case>> = {
  'an empty label without a teacher': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,2,\n` },
    message: [
      'd.csv:42: the label is empty, and the recipe has no teacher that answers for the sample',
      'Remove the sample, give it a label, or name a teacher.',
    ],
  },
  'an empty label in what models are scored on': {
    recipe: `dataset: {type: csv, train: d.csv, test: t.csv}\n${rest}`,
    files: { 't.csv': 'a,b,label\n1,2,yes\n3,4,\n' },
    message: [
      't.csv:3: the label is empty, in a split that models are scored on',
      'Models are scored by the labels of validation and test. Give it a label, or move it to the files under `unlabelled`.',
    ],
  },
  'a test split without any label': {
    recipe: `dataset: {type: csv, train: d.csv, test: t.csv}\n${rest}`,
    files: { 't.csv': 'a,b,label\n1,2,\n3,4,\n' },
    message: [
      't.csv: none of its 2 samples has a label, in a split that models are scored on',
      'Name files with labels, or set `labelled: 0`: then no labels are read and models are scored against the teacher.',
    ],
  },
  'a train split without any label': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': 'a,b,label\n1,2,\n3,4,\n' },
    message: [
      'd.csv: none of its 2 samples has a label',
      'Check which column or file holds the labels. Name these files as `unlabelled` beside labelled ones, or labelled files as `validation`, or set `labelled: 0` to learn from the teacher alone and to be scored against it.',
    ],
  },
  'samples without labels and no teacher': {
    recipe: `dataset: {type: csv, train: d.csv, unlabelled: d.csv}\n${rest}`,
    message: [
      'dataset.unlabelled: expected a teacher that answers for samples without a label, received none',
      'Name a teacher, or leave it out.',
    ],
  },
  'more labels kept than there are': {
    recipe: `dataset: {type: csv, train: d.csv, labelled: 400}\n${rest}`,
    message: [
      'labelled: 400 samples of d.csv should keep their label, and only 36 have a label to train with',
      'Ask for fewer, or leave it out to use all.',
    ],
  },
  'samples without labels of other columns than train': {
    recipe: `dataset: {type: csv, train: d.csv, unlabelled: u.csv}\n${rest}`,
    files: { 'u.csv': 'a,c\n1,2\n' },
    message: [
      'u.csv: feature columns differ from those of d.csv: column "c" where train has "b"',
      'All splits need the same columns in the same order.',
    ],
  },
  'a column of words that is not there': {
    recipe: `dataset: {type: csv, train: d.csv, categorical: [town]}\n${rest}`,
    files: { 'd.csv': WORDS },
    message: [
      'd.csv: categorical: no column "town" among the features: city, age',
      'Name columns of words; in a CSV file without a header by their index.',
    ],
  },
  'a column of words beside a shape': {
    recipe: `dataset: {type: csv, train: d.csv, categorical: [city], shape: [2, 1, 1]}\n${rest}`,
    files: { 'd.csv': WORDS },
    message: [
      'shape: expected none beside columns of words, received [2, 1, 1]',
      'Leave one of `shape` and `categorical` out: a word becomes several numbers.',
    ],
  },
  'dates whose order is open': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': 'day,label\n1/31/2024,yes\n2/1/2024,no\n' },
    message: [
      'd.csv:2: column "day": expected a number, or a date of ISO 8601, received the date 1/31/2024',
      'Write all dates of the column as 2024-01-31 or 2024-01-31T10:30:00Z, or leave the column out.',
    ],
  },
  'an impossible date': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': 'day,label\n2023-01-31,yes\n2023-02-30,no\n' },
    message: ['d.csv:3: column "day": expected a date that exists, received the date 2023-02-30', 'Correct the value.'],
  },
  'a word among dates': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': 'day,label\n2023-01-31,yes\nlater,no\n' },
    message: [
      'd.csv:3: column "day": expected a date, as in rows before it, received "later"',
      'A column holds dates or numbers: correct the value, or leave the column out.',
    ],
  },
  'an empty word': {
    recipe: `dataset: {type: csv, train: d.csv, categorical: [city]}\n${rest}`,
    files: { 'd.csv': WORDS.replace('Oslo,3', ',3') },
    message: [
      'd.csv:4: column "city": missing value (empty)',
      'Set `missing: mean`, `missing: zero` or `missing: drop` in the recipe, or correct the row.',
    ],
  },
};
