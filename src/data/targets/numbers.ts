import { UserError, shown } from '../../base/errors.ts';
import type { LabelWords, Scaling, TargetValues } from '../dataset.ts';
import { coarse } from '../splits/checks.ts';
import type { TargetReader } from './reader.ts';

const SEPARATOR = '|';

/** Name of a number without a column name. */
const UNNAMED = 'target';

/** One or several numbers to predict for each sample: number columns, or a column that lists them. */
export const numbers: TargetReader = {
  unread: {
    classes: 'Numbers have no classes; leave it out.',
    classWeights: 'Numbers have no classes to weigh; leave it out.',
  },
  names: ({ labels, labelNames: [column = ''] = [] }, { separator, header }) => {
    if (labels.kind === 'columns') return labels.names;
    const width =
      labels.kind === 'numbers' ? labels.width : labels.kind === 'index' ? 1 : listOf(labels, 0, separator).length;
    // Without a header, the column's name is only its index.
    const name = header === false || column === '' ? UNNAMED : column;
    return width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name}[${i}]`);
  },
  unlabelledNames: ({ label }, listed) => listed ?? [typeof label === 'string' ? label : UNNAMED],
  named: 'the numbers',
  none: () => new Float32Array(0),
  values: ({ source, labels, ids }, names, { separator }) => {
    const width = names.length;
    if (labels.kind === 'numbers' || labels.kind === 'index') {
      const received = labels.kind === 'numbers' ? labels.width : 1;
      if (received !== width) throw otherWidth(source, received, width);
      const at = labels.values.findIndex((value) => !Number.isFinite(value));
      if (at !== -1) {
        const row = Math.floor(at / width);
        throw notNumber(`${source}: sample ${ids?.[row] ?? row}`, String(labels.values[at]));
      }
      return Float32Array.from(labels.values);
    }
    const columns = labels.kind === 'columns' ? labels.columns : [labels];
    if (labels.kind === 'columns' && columns.length !== width) throw otherWidth(source, columns.length, width);
    const each = width / columns.length;
    const count = columns[0]!.values.length;
    const out = new Float32Array(count * width);
    columns.forEach((column, c) => {
      // Each distinct text is parsed once.
      const known = column.names.map((_, i) => {
        const list = listOf(column, i, columns.length > 1 ? undefined : separator);
        if (list.length !== each) throw otherWidth(column.firstAt[i]!, list.length, each);
        return list;
      });
      for (let row = 0; row < count; row++) out.set(known[column.values[row]!]!, row * width + c * each);
    });
    return out;
  },
  width: (names) => names.length,
  // Splits are drawn without strata.
  strata: (values) => new Int32Array(values.length),
  scaling: meanAndDeviation,
  oddities: (split, values, names) => odd(split, values, names),
};

function listOf({ names, firstAt }: LabelWords, i: number, separator = SEPARATOR): number[] {
  return names[i]!.split(separator).map((text) => {
    const value = Math.fround(Number(text));
    if (text.trim() === '' || !Number.isFinite(value)) throw notNumber(firstAt[i]!, text);
    return value;
  });
}

function notNumber(where: string, text: string): UserError {
  return new UserError(
    `${where}: the label is ${shown(text)}, expected a finite float32 number`,
    'Correct the value or remove the sample; words are classes, for which `task` is classification.',
  );
}

function otherWidth(where: string, received: number, expected: number): UserError {
  return new UserError(
    `${where}: ${received} ${received === 1 ? 'number' : 'numbers'} to predict, expected ${expected} as in train`,
    'Every sample needs as many numbers as the first one of train.',
  );
}

/** Mean and deviation of each number; a constant gets deviation 1. */
function meanAndDeviation(values: TargetValues, width: number): Scaling {
  const count = values.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width]! += values[i]! / count;
  // Two passes: a sum of squares loses all digits if the mean is much larger than the deviation.
  const squares = new Float64Array(width);
  for (let i = 0; i < values.length; i++) squares[i % width]! += (values[i]! - mean[i % width]!) ** 2 / count;
  const std = Array.from(squares, (square, c) => {
    const deviation = Math.sqrt(square);
    return deviation > 1e-7 * Math.abs(mean[c]!) ? deviation : 1;
  });
  return { mean: Array.from(mean), std };
}

function odd(split: string, values: TargetValues, names: readonly string[]): string[] {
  const width = names.length;
  return names.flatMap((name, c) => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = c; i < values.length; i += width) {
      [least, most] = [Math.min(least, values[i]!), Math.max(most, values[i]!)];
    }
    if (least === most) return [`${split}: ${name} is ${least} for every sample`];
    return (split === 'train' ? coarse(`${split}: ${name}`, least, most) : undefined) ?? [];
  });
}
