import { RandomStream } from '../../../src/base/random.ts';
import type { DivisibleFeed, DivisibleStep, ElementRange } from '../../../src/runtime/divisible-step.ts';
import { addInPairs } from '../../../src/run/processes/add-in-pairs.ts';
import { DividedUpdate } from '../../../src/run/processes/divided-update.ts';
import { PartSum } from '../../../src/train/parallel/part-sum.ts';
import { played } from '../../support/played.ts';

const random = new RandomStream('divided', 1);
const normal = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
const SIZES = { 'gradient/a': 300, 'gradient/b': 100, 'gradient/c': 131 };

/** An update with momentum, node by node as an engine has it: the weights `w/…` are read elsewhere, the momentum `m/…` is not. */
function fakeUpdate() {
  const feeds = Object.entries(SIZES).map(([name, length]): [string, DivisibleFeed] => {
    const variable = () => ({ data: new Float32Array(length), isRead: false });
    const variables = new Map([
      [`w/${name}`, variable()],
      [`m/${name}`, variable()],
    ]);
    return [name, { data: new Float32Array(length), variables }];
  });
  const divisible = new Map(feeds);
  let ranges: ReadonlyMap<string, readonly ElementRange[]> = new Map();
  const step = {
    divisible,
    divide: (given: typeof ranges) => void (ranges = given),
  } as unknown as DivisibleStep;
  const run = (): void => {
    for (const [name, own] of ranges)
      for (const { from, to } of own) {
        const { data, variables } = divisible.get(name)!;
        const [w, m] = [...variables.values()].map((variable) => variable.data) as [Float32Array, Float32Array];
        for (let i = from; i < to; i++) {
          m[i] = Math.fround(0.9 * m[i]!) + data[i]!;
          w[i]! -= m[i]!;
        }
      }
  };
  const content = (): Record<string, Float32Array> =>
    Object.fromEntries([...divisible.values()].flatMap(({ variables }) => [...variables].map(([k, v]) => [k, v.data])));
  return { step, run, content, ranges: () => ranges, gradients: divisible };
}

const read = new Set(Object.keys(SIZES).map((name) => `w/${name}`));
const STEPS = 2;

it.each([
  ['by messages', 2, 2, undefined, false],
  ['by messages, in more turns than are sent ahead', 2, 2, 16, false],
  ['in shared memory', 2, 2, undefined, true],
  ['in shared memory, in turns', 3, 3, 16, true],
  ['where the last process has nothing to add', 4, 3, 32, true],
])('%s: %i processes update as one does', async (_, size, count, most, sharing) => {
  const given = Array.from({ length: STEPS }, () =>
    Array.from({ length: count }, () =>
      Object.fromEntries(Object.entries(SIZES).map(([name, length]) => [name, normal(length)])),
    ),
  );
  const alone = fakeUpdate();
  alone.step.divide(new Map(Object.entries(SIZES).map(([name, to]) => [name, [{ from: 0, to }]])));
  for (const parts of given) {
    for (const [name, { data }] of alone.gradients)
      addInPairs(
        parts.map((part) => part[name]!),
        data,
      );
    alone.run();
  }
  const all = await played(
    size,
    (group) =>
      Promise.resolve().then(() => {
        const own = fakeUpdate();
        const options = { update: own.step, read, group, least: 1, ...(most !== undefined && { most }) };
        const divided = DividedUpdate.of(options)!;
        for (const parts of given) {
          for (const [name, room] of Object.entries(divided.home))
            (room as Float32Array).set(parts[group.rank]?.[name] ?? new Float32Array(room.length).fill(NaN));
          group.barrier();
          divided.sum(count);
          own.run();
          divided.spread();
        }
        const before = Object.fromEntries(Object.entries(own.content()).map(([name, data]) => [name, data.slice()]));
        divided.settle();
        return { before, after: own.content(), ranges: own.ranges() };
      }),
    { sharing },
  );
  const shared = Object.fromEntries(Object.keys(SIZES).map((name) => [name, 0]));
  for (const { before, after, ranges } of all) {
    expect(after).toEqual(alone.content());
    for (const name of read) expect(before[name]).toEqual(after[name]);
    expect(before).not.toEqual(after);
    for (const [name, own] of ranges) for (const { from, to } of own) shared[name]! += to - from;
  }
  expect(shared).toEqual(SIZES);
});

it('few weights are not divided', async () => {
  const [made] = await played(2, (group) =>
    Promise.resolve().then(() => DividedUpdate.of({ update: fakeUpdate().step, read, group })),
  );
  expect(made).toBeUndefined();
});

it.each([1, 2, 3, 5, 6, 7, 8])('%i arrays are added up with the bits of a sum in pairs', (count) => {
  const arrays = Array.from({ length: count }, () => normal(5000));
  const [sum, into] = [new PartSum('in pairs'), new Float32Array(5000)];
  for (const values of arrays) sum.add({ values });
  addInPairs(arrays, into);
  expect(into).toEqual(sum.values['values']);
});
