import { Unread } from '../../../src/serve/http/unread.ts';
import type { Asker } from '../../../src/serve/http/unread.ts';

const asker = (
  address: string,
  state: Asker['state'] = 'open',
): Asker & { dropped: number; state: Asker['state'] } => ({
  ...{ address, state, dropped: 0 },
  drop() {
    this.dropped++;
  },
});

it('lets an address have half of the memory for answers that were not read, and all together no more than it', () => {
  const unread = new Unread(100);
  const [first, second] = [unread.open(asker('a')), unread.open(asker('a'))];
  first.atLeast(30);
  second.atLeast(20);
  expect(() => second.atLeast(21)).toThrow('this address has too many answers that were not read');
  const others = ['b', 'c'].map((address) => unread.open(asker(address)));
  others[0]!.atLeast(50);
  expect(() => others[1]!.atLeast(1)).toThrow('clients have too many answers that were not read');
  // What was read gives room, to others as well.
  first.left(10);
  others[1]!.atLeast(20);
  expect(() => others[1]!.atLeast(21)).toThrow('clients have');
  second.end();
  first.end();
  expect(() => first.atLeast(30)).not.toThrow();
});

it('drops who takes nothing for ten seconds, not who waits behind others, and forgets who is gone', () => {
  const [now, every] = [performance.now, globalThis.setInterval];
  let [ms, look] = [0, (): void => undefined];
  performance.now = () => ms;
  globalThis.setInterval = (step: () => void) => {
    look = step;
    return every(() => undefined, 1e6);
  };
  const unread = new Unread(100);
  const [slow, behind, gone] = [asker('a'), asker('b', 'behind'), asker('c')];
  const all = [slow, behind, gone].map((one) => {
    const held = unread.open(one);
    held.left(30);
    return held;
  });
  gone.state = 'gone';
  [ms] = [9000];
  look();
  expect([slow.dropped, behind.dropped, gone.dropped, all[2]!.bytes]).toEqual([0, 0, 0, 0]);
  [ms] = [10_001];
  look();
  expect([slow.dropped, behind.dropped, gone.dropped]).toEqual([1, 0, 0]);
  expect(all.map(({ bytes }) => bytes)).toEqual([0, 30, 0]);
  [performance.now, globalThis.setInterval] = [now, every];
  all[1]!.end();
});
