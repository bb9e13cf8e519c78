import { sharingIn, turnsIn } from '../../../src/run/processes/processes.ts';
import { alone as aloneProcess } from '../../../src/train/processes.ts';
import { oneByOne } from '../../../src/train/turns.ts';
import { played } from '../../support/played.ts';

const square = (item: number): Promise<Float32Array> => Promise.resolve(Float32Array.of(item, item ** 2));

it.each([
  [1, 5],
  [2, 5],
  [3, 7],
  [4, 2],
  [2, 0],
])('%i processes take turns at %i items, and all have all', async (size, count) => {
  const alone = await oneByOne.inTurns({ count, width: 2 }, square);
  expect([...alone]).toEqual(Array.from({ length: count }, (_, i) => [i, i ** 2]).flat());
  const asked: number[] = [];
  const all = await played(size, (group) =>
    turnsIn(group).inTurns({ count, width: 2 }, (item) => {
      asked.push(group.rank);
      return square(item);
    }),
  );
  for (const one of all) expect(one).toEqual(alone);
  // Played twice: up to where they gather, and again with what all have.
  const rounds = size === 1 ? 1 : 2;
  expect(asked.filter((rank) => rank === 0).length).toBe(rounds * Math.ceil(count / size));
});

it('an item may have fewer numbers than the others', async () => {
  const short = (item: number): Promise<Float32Array> => Promise.resolve(Float32Array.of(...[1, 2].slice(0, 2 - item)));
  for (const one of await played(2, (group) => turnsIn(group).inTurns({ count: 2, width: 2 }, short)))
    expect([...one]).toEqual([1, 2, 1, 0]);
});

it('all stop where one of them wants to', async () => {
  const told = await played(3, (group) =>
    Promise.resolve().then(() => sharingIn(group).agreed([group.rank === 2, false])),
  );
  expect(told).toEqual(Array(3).fill([true, false]));
  expect(aloneProcess.agreed([false])).toEqual([false]);
});
