import { shardOf, textOf } from '../../../src/base/shard.ts';

it('each process is a shard', () => {
  expect(textOf(shardOf(undefined, { RANK: '5', WORLD_SIZE: '6' }))).toBe('5/6');
  expect(() => shardOf(undefined, { RANK: '2', WORLD_SIZE: '2' })).toThrow(/a launcher like torchrun says RANK=2/);
});
