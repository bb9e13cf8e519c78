import { classes } from '../../data/targets/classes.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';
import { similarities } from './similarities.ts';

/** Target of a sample of an unknown class. */
export const NO_CLASS = -1;

/**
 * Class of each sample, which tells the samples that belong together. Data without labels have no classes: the target of a sample is then the vector
 * that a teacher gives it.
 */
export const vectors: TargetReader = {
  ...classes,
  unread: { ...classes.unread, classWeights: 'Samples are compared with each other; leave it out.' },
  unlabelledNames: (config, listed, train) => classes.unlabelledNames(config, listed, train) ?? [],
  none: () => new Float32Array(0),
  values: (...given) => Float32Array.from(classes.values(...given)),
  width: ({ length }, { vector }) => (length > 0 ? 1 : vector!.size),
  unlabelled: (width) => (width === 1 ? Float32Array.of(NO_CLASS) : new Float32Array(width)),
  strata: (values, width) => (width === 1 ? Int32Array.from(values) : new Int32Array(values.length / width)),
  oddities: (split, values, names, ...rest) =>
    names.length === 0 ? [] : classes.oddities(split, Int32Array.from(values), names, ...rest),
};

export const labels: TargetReaders = { embedding: vectors, 'sentence-similarity': similarities };
