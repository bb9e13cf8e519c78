import type { ChannelGroup } from '../../../src/compress/prune/groups.ts';
import { scoreChannels } from '../../../src/compress/prune/importance.ts';

const tensor = (shape: number[], values: readonly number[]) => {
  return { type: { dtype: 'float32' as const, shape }, data: Float32Array.from(values) };
};

const positions = [[0], [1]];
const member = { layer: 'a', isGate: false, positions };
/** Two channels: made by columns (3, 4) and (0, 2), scaled by -6 and 2, read by rows that do not count. */
const weights = new Map([
  ['a/kernel', tensor([2, 2], [3, 0, -4, 2])],
  ['a/gamma', tensor([2], [-6, 2])],
  ['b/kernel', tensor([2, 1], [100, 1])],
]);
const made = { ...member, weight: 'a/kernel', axis: 1, role: 'out' } as const;
const read = { ...member, weight: 'b/kernel', axis: 0, role: 'in' } as const;
const scaled = { ...member, weight: 'a/gamma', axis: 0, role: 'scale', isGate: true } as const;
const group = (...members: ChannelGroup['members']): ChannelGroup => {
  return { name: 'a', layers: ['a'], channels: 2, members };
};

it.each([
  // Norms 7 and 2, 5 and 2, 6 and 2, each relative to their mean.
  ['l1', 'l1', [7 / 4.5, 2 / 4.5]],
  ['l2', 'l2', [5 / 3.5, 2 / 3.5]],
  ['bn-scale', 'bn-scale', [6 / 4, 2 / 4]],
] as const)('%s of filters, by hand', (importance, by, expected) => {
  const scored = scoreChannels(group(made, read, scaled), weights, importance);
  expect([scored.by, ...scored.scores]).toEqual([by, ...expected]);
});

it('a group without batch norm is measured by l2, and one whose filters are all zero has scores of zero', () => {
  expect(scoreChannels(group(made, read), weights, 'bn-scale')).toEqual({
    by: 'l2',
    scores: Float64Array.of(5 / 3.5, 2 / 3.5),
  });
  const silent = new Map([['a/kernel', tensor([2, 2], [0, 0, 0, 0])]]);
  expect([...scoreChannels(group(made), silent, 'l1').scores]).toEqual([0, 0]);
});

it('channels that lie at several places are the sum of all of them', () => {
  const wide = { ...made, weight: 'w', axis: 0, positions: [[0, 2], [1]] };
  expect([...scoreChannels(group(wide), new Map([['w', tensor([3], [1, 6, -2])]]), 'l1').scores]).toEqual([
    ...[3 / 4.5, 6 / 4.5],
  ]);
});
