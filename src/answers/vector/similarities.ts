import { UserError } from '../../base/errors.ts';
import type { TargetValues } from '../../data/dataset.ts';
import { numbers } from '../../data/targets/numbers.ts';
import type { TargetReader } from '../../data/targets/reader.ts';

/** Numbers of a pair: its place in its files, and its similarity. */
const WIDTH = 2;

/** Pairs that a correlation of ranks needs at least. */
const FEWEST = 3;

/** Number and similarity of each pair of samples. The number is below 0 for a pair without a similarity. */
export const similarities: TargetReader = {
  unread: {
    ...numbers.unread,
    separator: 'A pair has one similarity; leave it out.',
  },
  names: () => [],
  unlabelledNames: () => [],
  named: 'the similarities',
  none: () => new Float32Array(0),
  values: (split, _, config) => {
    const values = numbers.values(split, ['similarity'], { ...config, separator: undefined });
    return Float32Array.from({ length: values.length * WIDTH }, (__, i) => {
      const row = Math.floor(i / WIDTH);
      return i % WIDTH === 0 ? (split.ids?.[row] ?? row) : values[row]!;
    });
  },
  width: () => WIDTH,
  unlabelled: () => Float32Array.of(-1, 0),
  largest: largestSimilarity,
  strata: (values, width) => new Int32Array(values.length / width),
  oddities: (split, values, _names, _width, source) => {
    const all = Array.from({ length: values.length / WIDTH }, (_, row) => values[row * WIDTH + 1]!);
    if (split !== 'train' && all.length < FEWEST)
      throw new UserError(
        `${source}: ${all.length} ${all.length === 1 ? 'pair' : 'pairs'} for ${split}, expected ${FEWEST} or more`,
        'Models are scored by a correlation: add pairs with a similarity.',
      );
    if (!all.every((value) => value === all[0])) return [];
    const same = `${source}: all ${all.length} pairs for ${split} have the similarity ${all[0]!}`;
    if (split === 'train') return [`${same}: they teach no order`];
    throw new UserError(same, 'Models are scored by a correlation, which needs different similarities.');
  },
};

/** Largest size of the similarities of some splits. */
function largestSimilarity(splits: readonly TargetValues[]): number {
  let largest = 0;
  for (const values of splits)
    for (let i = 1; i < values.length; i += WIDTH) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}
