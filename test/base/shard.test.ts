import { launchers } from '../../src/base/launchers.ts';
import { partOf, shardOf, textOf } from '../../src/base/shard.ts';

const ONE = { by: 'one', index: 'ONE_INDEX', count: 'ONE_COUNT', first: 'ONE_FIRST', step: 'ONE_STEP' };
const OTHER = { by: 'another', index: 'OTHER_INDEX', count: 'OTHER_COUNT' };

beforeAll(() => launchers.add({ name: 'of the test', shards: [ONE, OTHER] }));

describe('which shard a process is', () => {
  it.each([
    ['nothing tells', {}, '0/1'],
    ['a launcher', { OTHER_INDEX: '3', OTHER_COUNT: '8' }, '3/8'],
    ['a launcher from 10 in steps of 5', { ONE_INDEX: '20', ONE_COUNT: '4', ONE_FIRST: '10', ONE_STEP: '5' }, '2/4'],
    ['two that say the same', { ONE_INDEX: '1', ONE_COUNT: '2', OTHER_INDEX: '1', OTHER_COUNT: '2' }, '1/2'],
    ['one of several and one of one', { ONE_INDEX: '0', ONE_COUNT: '1', OTHER_INDEX: '1', OTHER_COUNT: '2' }, '1/2'],
  ])('%s', (_, environment, shard) => {
    expect(textOf(shardOf(undefined, environment))).toBe(shard);
    expect(textOf(shardOf('2/3', environment))).toBe('2/3');
  });

  it.each([
    ['an index without a number of them', { ONE_INDEX: '3' }, /ONE_INDEX=3 and ONE_COUNT=,/],
    ['an index past the end', { ONE_INDEX: '2', ONE_COUNT: '2' }, /no shard/],
    ['an array with gaps', { ONE_INDEX: '9', ONE_COUNT: '3', ONE_FIRST: '1', ONE_STEP: '1' }, /ONE_INDEX=9/],
    [
      'two that say different things',
      { OTHER_INDEX: '0', OTHER_COUNT: '2', ONE_INDEX: '1', ONE_COUNT: '4' },
      /one says shard 1\/4, and another says 0\/2/,
    ],
  ])('refuses %s', (_, environment, message) => {
    expect(() => shardOf(undefined, environment)).toThrow(message);
  });

  it.each(['4/4', '1', '1/0', '-1/4', 'x/2', '1/2/3'])('refuses --shard %s', (text) => {
    expect(() => shardOf(text, {})).toThrow(/--shard: expected i\/n/);
  });
});

it('every item belongs to exactly one shard', () => {
  const items = Array.from({ length: 11 }, (_, i) => i);
  const parts = [0, 1, 2, 3].map((index) => partOf(items, { index, count: 4 }));
  expect(parts.flat().sort((a, b) => a - b)).toEqual(items);
  expect(parts[1]).toEqual([1, 5, 9]);
});
