import { UserError } from '../../../base/errors.ts';

/** Class names that the metadata of some detectors state under `names`: a mapping of numbers from 0 on to names, as Python prints it. */
export function printedNames(text = ''): readonly string[] | undefined {
  const entries = [...text.matchAll(/['"]?(\d+)['"]?: *(?:'([^']*)'|"([^"]*)")/g)];
  const isWhole = entries.length > 0 && entries.every(([, number], i) => Number(number) === i);
  return isWhole ? entries.map(([, , single, double]) => (single ?? double)!) : undefined;
}

/**
 * Index in the data set of each class of a detector; -1 for a class that the data set lacks, whose boxes are left out. `UserError` for a class of the
 * data set that the detector lacks: its objects would be taught as background.
 */
export function placesOfClasses(file: string, stated: readonly string[] | undefined, own: readonly string[]): number[] {
  const classes = stated ?? own;
  const missing = own.find((name) => !classes.includes(name));
  const twice = own.find((name) => classes.indexOf(name) !== classes.lastIndexOf(name));
  if (missing === undefined && twice === undefined) return classes.map((name) => own.indexOf(name));
  throw new UserError(
    `${file}: expected every class of the data set once among those of the detector, ${classes.length} names, received ${missing === undefined ? `${twice!} twice` : `none named ${missing}`}`,
    'Name the classes of the detector in teacher.classes, in the order of the file and in the words of the data set; others may have any name.',
  );
}
