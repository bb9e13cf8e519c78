import { UserError } from '../../base/errors.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';
import { TAIL } from './pack.ts';

/** The token behind each place of a sequence, and the sizes of their text; see `pack.ts`. */
const nextTokens: TargetReader = {
  unread: {
    classes: 'The names are the tokens of the tokenizer; leave it out.',
    classWeights: 'Tokens are not weighed; leave it out.',
    separator: 'Texts have no labels; leave it out.',
  },
  names: ({ classNames, source }) => {
    if (classNames !== undefined) return classNames;
    throw new UserError(`${source}: expected texts`, 'Use type: texts.');
  },
  unlabelledNames: (_config, _listed, { classNames }) => classNames,
  named: 'the tokens',
  none: () => new Int32Array(0),
  values: ({ labels, source }) => {
    if (labels.kind === 'numbers') return Int32Array.from(labels.values);
    throw new UserError(`${source}: expected sequences of tokens`, 'Use type: texts.');
  },
  width: (_, { text }) => {
    if (text === undefined) throw new Error('next tokens are of texts');
    return text.length + TAIL;
  },
  // Splits are drawn without strata.
  strata: (values, width) => new Int32Array(values.length / width),
  oddities: () => [],
};

export const labels: TargetReaders = { 'next-token': nextTokens };
