import { UserError } from '../../base/errors.ts';
import type { RawSplit } from '../../data/dataset.ts';
import { unknownLabel } from '../../data/splits/label-names.ts';
import { BOX_WIDTH, boxesOf, boxesWidth, NO_BOX, writeBoxes } from '../../data/targets/boxes.ts';
import { boxesOfMosaic } from './mosaic.ts';
import { moveBoxes } from './move.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';

/** Boxes with a class each, as `boxes.ts` stores them. */
export const boxes: TargetReader = {
  unread: {
    classWeights: 'Boxes are not weighed by their class; leave it out.',
    separator: 'Boxes are not in columns; leave it out.',
  },
  names: (train, { classes }) => {
    const names = classes ?? train.classNames;
    if (names !== undefined) return names;
    throw new UserError(
      `${train.source}: boxes have numbers of classes, and nothing names the classes`,
      'Name them in the order of their numbers as `classes`.',
    );
  },
  unlabelledNames: ({ classes }, _, { classNames }) => classes ?? classNames,
  named: 'the classes',
  none: () => new Float32Array(0),
  values: (split, names) => {
    const { labels, source, classNames, maxBoxes = 0 } = split;
    if (labels.kind !== 'numbers' || !(labels.values instanceof Float32Array) || labels.width !== boxesWidth(maxBoxes))
      throw notBoxes(split);
    if (classNames?.some((name, c) => name !== names[c]) !== true) return labels.values;
    const values = new Float32Array(labels.values);
    for (let row = 0; row < values.length / labels.width; row++)
      for (let box = 0; box < maxBoxes; box++) {
        const at = row * labels.width + 1 + box * BOX_WIDTH;
        if (values[at] === NO_BOX) break;
        const name = classNames[values[at]!]!;
        if (!names.includes(name)) throw unknownLabel(name, labels.files?.[row] ?? `${source}: sample ${row}`, names);
        values[at] = names.indexOf(name);
      }
    return values;
  },
  width: (_, { maxBoxes = 0 }) => boxesWidth(maxBoxes),
  unlabelled: (width) => {
    const row = new Float32Array(width);
    writeBoxes(row, 0, []);
    return row;
  },
  // Splits are drawn without strata.
  strata: (values, width) => new Int32Array(values.length / width),
  oddities: (split, values, names, width) => {
    const seen = new Set<number>();
    for (let start = 0; start < values.length; start += width)
      for (const { label } of boxesOf(values, start, (width - 1) / BOX_WIDTH)) seen.add(label);
    const none = names.filter((_, c) => !seen.has(c));
    const hasNone = `${split} has no box of ${none.length} of ${names.length} classes`;
    return none.length === 0 ? [] : [`${hasNone}: ${none.join(', ')}`];
  },
  moveTargets: (targets, geometries, size) => moveBoxes(targets as Float32Array, geometries, size),
  mosaic: boxesOfMosaic,
};

function notBoxes({ source, labels }: RawSplit): UserError {
  const received = labels.kind === 'numbers' ? `${labels.width} numbers for each` : 'labels of another kind';
  return new UserError(
    `${source}: expected the boxes of each picture, received ${received}`,
    'Use another type of data.',
  );
}

export const labels: TargetReaders = { detection: boxes };
