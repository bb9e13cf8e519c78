import { gzipSync } from 'node:zlib';
import { CSV, IDX, TABLE, idx, png, rest } from './files.ts';
import type { Case } from './files.ts';

export const data: Readonly<Record<string, Case>> = {
  'a single sample of every class': {
    recipe: `dataset: {type: csv, train: d.csv}\n${rest}`,
    files: { 'd.csv': 'a,b,label\n1,2,yes\n3,4,no\n' },
    message: [
      'validation: every class of d.csv has a single sample, none can be taken from it',
      'Name files of their own as `validation`, or add samples.',
    ],
  },
  'no data file': {
    recipe: `${TABLE.replace('d.csv', 'gone.csv')}\n${rest}`,
    message: [
      'dataset.train: gone.csv: cannot read it: no such file or folder',
      'Check the path; relative paths in a recipe start at the recipe file.',
    ],
  },
  'a folder for a data file': {
    recipe: `${TABLE.replace('d.csv', '.')}\n${rest}`,
    message: ['<folder>: cannot read it: it is a folder', 'Name a file, not a folder.'],
  },
  'an empty CSV': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': '' },
    message: ['d.csv: the file is empty (0 bytes)', 'Get it again, or point the recipe at another file.'],
  },
  'a CSV with only a header': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': 'a,b,label\n' },
    message: ['d.csv: no rows of data', 'Point the recipe at a file with samples.'],
  },
  'a CSV with ragged rows': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,2\n` },
    message: [
      'd.csv:42: expected 3 columns, received 2',
      'Correct the row; a value that holds the delimiter must be quoted.',
    ],
  },
  'a CSV without the label column': {
    recipe: `dataset: {type: csv, train: d.csv, label: lable}\n${rest}`,
    message: [
      'd.csv:1: label: no column "lable", the file has 3: a, b, label',
      'Did you mean "label"? Else set `label` to the name or the index of a column.',
    ],
  },
  'a CSV with text among the numbers': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,many,yes\n` },
    message: [
      'd.csv:42: column "b": expected a number, received "many"',
      'Correct the value if it is to be a number. Supported are columns of numbers, of true and false, and of dates (2024-01-31). Columns of words are named as `categorical`, or left out (`ignore` for CSV, `features` for others). For this one: `categorical: [b]`.',
    ],
  },
  'a CSV with a missing value': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,,yes\n` },
    message: [
      'd.csv:42: column "b": missing value (empty)',
      'Set `missing: mean`, `missing: zero` or `missing: drop` in the recipe, or correct the row.',
    ],
  },
  'a CSV with NaN': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': `${CSV}1,NaN,yes\n` },
    message: [
      'd.csv:42: column "b": missing value ("NaN")',
      'Set `missing: mean`, `missing: zero` or `missing: drop` in the recipe, or correct the row.',
    ],
  },
  'a CSV with one class': {
    recipe: `${TABLE}\n${rest}`,
    files: { 'd.csv': CSV.replaceAll('yes', 'no') },
    message: [
      'd.csv: all 40 samples have the label "no", expected at least 2 classes',
      'Check which column or file holds the labels.',
    ],
  },
  'a label in test that train does not have': {
    recipe: `dataset: {type: csv, train: d.csv, test: t.csv}\n${rest}`,
    files: { 't.csv': 'a,b,label\n1,2,maybe\n' },
    message: [
      't.csv:2: unknown label "maybe", expected one of 2 classes: no, yes',
      'Every label must occur in train or be listed as `classes` in the recipe.',
    ],
  },
  'other columns in test': {
    recipe: `dataset: {type: csv, train: d.csv, test: t.csv}\n${rest}`,
    files: { 't.csv': 'a,label\n1,yes\n' },
    message: [
      't.csv: feature columns differ from those of d.csv: 1 instead of 2',
      'All splits need the same columns in the same order.',
    ],
  },
  'an IDX file that is not gzip': {
    recipe: `${IDX}\n${rest}`,
    files: { 'x.gz': 'this is text' },
    message: [
      'x.gz: not an IDX file: it starts with 74 68 69 73, expected gzip (1f 8b) or 00 00 and a type (08 to 0e)',
      'Check that the download is the file itself and not a web page, then get it again.',
    ],
  },
  'an empty IDX file': {
    recipe: `${IDX}\n${rest}`,
    files: { 'x.gz': '' },
    message: ['x.gz: the file is empty (0 bytes)', 'Get it again, or point the recipe at another file.'],
  },
  'a truncated gzip': {
    recipe: `${IDX}\n${rest}`,
    files: { 'x.gz': gzipSync(idx(40, 4, 4)).subarray(0, -12) },
    message: [
      'x.gz: truncated: the gzip data ends too early, received 28 bytes, which unpack to 276 of the 656 that its header says',
      'Get the file again and compare its size with the source.',
    ],
  },
  'a truncated IDX file': {
    recipe: `${IDX}\n${rest}`,
    files: { 'x.gz': gzipSync(idx(40, 4, 4).subarray(0, 200)) },
    message: [
      'x.gz: truncated: expected 656 bytes by its header, received 200',
      'Get the file again and compare its size with the source.',
    ],
  },
  'labels and images of different number': {
    recipe: `${IDX}\n${rest}`,
    files: { 'y.gz': gzipSync(idx(39)) },
    message: [
      'y.gz: 39 labels for the 40 samples of x.gz',
      'Take both files from the same split (train with train, t10k with t10k).',
    ],
  },
  'a validation split larger than the data': {
    recipe: `dataset: {type: csv, train: d.csv, validation: 400}\n${rest}`,
    message: [
      'validation: 400 of the 40 samples of d.csv would leave none to train on',
      'Choose a smaller number, or a fraction such as 0.1.',
    ],
  },
  'a folder of images without images': {
    recipe: `dataset: {type: image-folder, train: empty}\n${rest}`,
    message: ['empty: no sub-folders, expected one per class', 'Put the images of class `cat` in a folder `cat`.'],
  },
  'a corrupt PNG': {
    recipe: `dataset: {type: image-folder, train: pics, testFraction: 0.2}\n${rest}`,
    files: { 'pics/a/1.png': 'no picture', 'pics/b/1.png': 'no picture' },
    message: [
      'pics/a/1.png: cannot decode the image: Input file contains unsupported image format (received 10 bytes)',
      'Get the file again or remove it; PNG, JPEG and WebP are read.',
    ],
  },
  'images of different sizes': {
    recipe: `dataset: {type: image-folder, train: pics, testFraction: 0.2}\n${rest}`,
    files: { 'pics/a/1.png': await png(4), 'pics/b/1.png': await png(5) },
    message: [
      'pics/b/1.png: the image is 5x5 (height x width), but pics/a/1.png is 4x4',
      'Set `resize: [height, width]` in the recipe to scale all images to one size.',
    ],
  },
};
