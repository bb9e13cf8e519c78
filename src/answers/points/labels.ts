import { UserError } from '../../base/errors.ts';
import type { RawSplit } from '../../data/dataset.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';
import { ABSENT, labelledPoints, pointsWidth } from './layout.ts';
import { movePoints } from './move.ts';

/** Places of points, as `layout.ts` stores them. */
const points: TargetReader = {
  unread: {
    classWeights: 'Points have no classes to weigh; leave it out.',
    separator: 'Points are not listed in a column; leave it out.',
  },
  names: (train, { classes }) => {
    const names = train.classNames ?? classes;
    if (names !== undefined) return names;
    throw new UserError(`${train.source}: nothing names the points`, 'Name them in their order as `classes`.');
  },
  unlabelledNames: ({ classes }, _, { classNames }) => classNames ?? classes,
  named: 'the points',
  none: () => new Float32Array(0),
  values: (split, names) => {
    const { labels, source, classNames = names } = split;
    if (labels.kind !== 'numbers' || !(labels.values instanceof Float32Array) || split.points === undefined)
      throw notPoints(split);
    const other = names.findIndex((name, k) => name !== classNames[k]);
    if (other === -1 && classNames.length === names.length) return labels.values;
    throw new UserError(
      `${source}: its points are ${classNames.join(', ')}, and those of train are ${names.join(', ')}`,
      'Name the points of all splits alike, in the same order.',
    );
  },
  width: (names) => pointsWidth(names.length),
  // Splits are drawn without strata.
  strata: (values, width) => new Int32Array(values.length / width),
  oddities: (split, values, names, width) => {
    const seen = new Set<number>();
    for (let start = 0; start < values.length; start += width)
      labelledPoints(values, start, names.length).forEach(({ visibility }, k) => visibility !== ABSENT && seen.add(k));
    const none = names.filter((_, k) => !seen.has(k));
    return none.length === 0
      ? []
      : [`${split} has no label of ${none.length} of ${names.length} points: ${none.join(', ')}`];
  },
  moveTargets: (targets, geometries, size) => movePoints(targets as Float32Array, geometries, size),
};

function notPoints({ source, labels }: RawSplit): UserError {
  const received = labels.kind === 'numbers' ? `${labels.width} numbers for each` : 'labels of another kind';
  return new UserError(`${source}: expected the points of each picture, received ${received}`, 'Use type: points.');
}

export const labels: TargetReaders = { points };
