import { RandomStream } from '../../../src/base/random.ts';
import type { TensorType } from '../../../src/graph/types.ts';
import { Exchange } from '../../../src/run/processes/exchange.ts';
import { PartSum } from '../../../src/train/parallel/part-sum.ts';
import type { StepValues } from '../../../src/train/step/steps.ts';
import { played } from '../../support/played.ts';

const type = (...shape: number[]): TensorType => ({ dtype: 'float32', shape });
const outputs = new Map([
  ['loss', type()],
  ['gradient/a', type(30, 30)],
  ['lowest/b', type(400)],
]);
const random = new RandomStream('exchange', 1);
const results = () =>
  Object.fromEntries(
    [...outputs].map(([name, { shape }]) => {
      const length = (shape as number[]).reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length }, () => random.normal())];
    }),
  );
/** What each of the processes comes to, of which the first have something to add. */
const summed = (
  size: number,
  options: Omit<ConstructorParameters<typeof Exchange>[0], 'group'>,
  all: readonly StepValues[],
) =>
  played(size, (group) =>
    Promise.resolve().then(() => {
      const sum = new Exchange({ ...options, group }).sum(all[group.rank], all.length);
      return Object.fromEntries(Object.entries(sum).map(([name, values]) => [name, values.slice()]));
    }),
  );

it.each([
  ['in one turn', 2, 2, undefined],
  ['in more turns than are sent ahead', 2, 2, 50],
  ['where the last ones have nothing', 4, 3, 100],
])('sums %s have the bits of one process', async (_, size, count, most) => {
  const all = Array.from({ length: count }, results);
  const alone = new PartSum('in pairs');
  for (const one of all) alone.add(one);
  for (const sum of await summed(size, { outputs, ...(most !== undefined && { most }) }, all))
    expect(sum).toEqual(alone.values);
});
