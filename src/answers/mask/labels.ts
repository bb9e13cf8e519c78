import { shown, UserError } from '../../base/errors.ts';
import { countOfPixels } from '../../data/dataset.ts';
import { unseenNames } from '../../data/splits/checks.ts';
import type { RawSplit } from '../../data/dataset.ts';
import { IGNORED } from '../../data/targets/ignored.ts';
import { moveMasks } from './move.ts';
import type { TargetReader } from '../../data/targets/reader.ts';
import type { TargetReaders } from '../../data/targets/registry.ts';

/** A class for each pixel of a picture, or `IGNORED`. */
export const masks: TargetReader = {
  unread: { separator: 'Masks are pictures; leave it out.' },
  names: (train, { classes }) => {
    const names = classes ?? train.classNames;
    if (names !== undefined) return names;
    throw new UserError(
      `${train.source}: masks hold numbers of classes, and nothing names the classes`,
      'Name them in the order of their numbers as `classes`, such as [background, person].',
    );
  },
  unlabelledNames: ({ classes }, _, { classNames }) => classes ?? classNames,
  named: 'the classes',
  none: () => new Uint8Array(0),
  values: (split, names) => {
    const { labels, source, ids, sampleShape, classNames } = split;
    const pixels = countOfPixels(sampleShape);
    if (
      labels.kind !== 'numbers' ||
      !(labels.values instanceof Uint8Array) ||
      labels.width !== pixels ||
      sampleShape.length !== 3
    )
      throw notMasks(split);
    if (classNames?.some((name, c) => name !== names[c]) === true)
      throw new UserError(
        `${source}: its classes are ${classNames.join(', ')}, and those of train are ${names.join(', ')}`,
        'Number the classes alike in all splits: their masks hold numbers alone.',
      );
    const bad = labels.values.findIndex((value) => value >= names.length && value !== IGNORED);
    if (bad === -1) return labels.values;
    const [row, at] = [Math.floor(bad / pixels), bad % pixels];
    throw new UserError(
      `${labels.files?.[row] ?? `${source}: mask ${ids?.[row] ?? row}`}: pixel ${at % sampleShape[1]!}, ${Math.floor(at / sampleShape[1]!)} (x, y) is ${shown(labels.values[bad])}, and there are the classes 0 … ${names.length - 1}`,
      `Name all classes in the order of their numbers as \`classes\`; ${IGNORED} marks pixels without a class.`,
    );
  },
  width: (_, { sampleShape }) => countOfPixels(sampleShape),
  // Splits are drawn without strata.
  strata: (values, width) => new Int32Array(values.length / width),
  oddities: (split, values, names) => unseenNames(`${split} has no pixel`, 'classes', values, names),
  moveTargets: (targets, geometries, size) => moveMasks(targets as Uint8Array, geometries, size),
};

function notMasks({ source, sampleShape, labels }: RawSplit): UserError {
  const received = labels.kind === 'numbers' ? `${labels.width} numbers for each` : 'labels of another kind';
  return new UserError(
    `${source}: expected a mask of as many pixels as its picture for samples of shape [${sampleShape.join(', ')}], received ${received}`,
    'Use type: mask-folder, or npz with pictures [samples, height, width, channels] and masks [samples, height, width] of whole numbers.',
  );
}

export const labels: TargetReaders = { segmentation: masks };
